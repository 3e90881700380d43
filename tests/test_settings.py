"""Settings: read once, checked, and a wrong one names its variable without repeating a secret."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from vabhub.errors import SettingsError
from vabhub.settings import load_settings, unknown_variables, without_password


def test_defaults_need_no_variable(tmp_path: Path) -> None:
    made = load_settings({"VABHUB_DATA_DIR": str(tmp_path)})
    assert made.database_url == f"sqlite:///{tmp_path}/vabhub.db"
    assert made.redis_is_embedded
    assert (made.host, made.port, made.locale) == ("127.0.0.1", 8000, None)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("PORT", "eighty", "integer"),
        ("PORT", "70000", "65535"),
        ("VABHUB_LOCALE", "de", "'zh' or 'en'"),
        ("VABHUB_QBITTORRENT_URL", "nas:8080", "http://"),
        ("VABHUB_MEDIA_ROOTS", "/media/films", "/path:movies"),
        ("VABHUB_MEDIA_ROOTS", "/media:books", "'movies'"),
        ("VABHUB_SYSTEM_INTERVAL_S", "0", "greater than 0"),
        ("REDIS_URL", "localhost:6379", "redis://"),
        ("DATABASE_URL", "mysql://x/y", "postgresql://"),
        ("VABHUB_ADMIN_PASSWORD", "long enough", "VABHUB_ADMIN_USER is missing"),
        ("VABHUB_ADMIN_USER", "someone", "VABHUB_ADMIN_PASSWORD is missing"),
    ],
)
def test_a_wrong_value_names_its_variable(tmp_path: Path, variable: str, value: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=r"[A-Z_]{4,}") as caught:
        load_settings({"VABHUB_DATA_DIR": str(tmp_path), variable: value})
    assert expected in str(caught.value)
    assert variable in str(caught.value) or "is missing" in expected


def test_a_wrong_secret_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="REDIS_URL") as caught:
        load_settings({"VABHUB_DATA_DIR": str(tmp_path), "REDIS_URL": "hunter2@nowhere"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("keys", ["hunter2", "k" * 15, "k" * 16 + ",hunter2", "hunter2," + "k" * 16, " , "])
def test_a_short_key_is_refused_without_repeating_it(tmp_path: Path, keys: str) -> None:
    with pytest.raises(SettingsError, match="SECRET_KEY: expected 16 characters") as caught:
        load_settings({"VABHUB_DATA_DIR": str(tmp_path), "SECRET_KEY": keys})
    assert "hunter2" not in str(caught.value)


def test_keys_of_sixteen_characters_are_taken(tmp_path: Path) -> None:
    keys = f"{'n' * 16}, {'o' * 16},"
    assert load_settings({"VABHUB_DATA_DIR": str(tmp_path), "SECRET_KEY": keys}).secret_key == keys


def test_what_is_only_named_like_a_setting_is_found() -> None:
    env = {
        "VABHUB_DATA_DIR": "/x",
        "VABHUB_ENV_FILE": "/x",
        "VABHUB_QBITTORRENT_PASSWORD_FILE": "/x",
        "VABHUB_PORT": "80",
        "VABHUB_WORKER_THREAD": "4",
        "VABHUB_ZZZ": "",
        "HOME": "/x",
    }
    closest = {"VABHUB_PORT": "PORT", "VABHUB_WORKER_THREAD": "VABHUB_WORKER_THREADS", "VABHUB_ZZZ": None}
    assert unknown_variables(env) == closest


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+psycopg://u:hunter2@db:5433/x?password=hunter2", "postgresql://db:5433/x"),
        ("redis://:hun/ter2@host/0", "redis://…"),
        ("sqlite:////data/vabhub.db", "sqlite:////data/vabhub.db"),
        ("unix:///run/redis.sock?db=1", "unix:///run/redis.sock"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_secrets_do_not_show_in_the_representation(tmp_path: Path) -> None:
    made = load_settings({"VABHUB_DATA_DIR": str(tmp_path), "SECRET_KEY": "hunter2hunter2hunter2"})
    assert "hunter2" not in repr(made)


def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a secret\n")
    env = {"VABHUB_DATA_DIR": str(tmp_path), "VABHUB_QBITTORRENT_PASSWORD_FILE": str(tmp_path / "password")}
    assert load_settings(env).qbittorrent_password == "a secret"


def test_a_secret_file_that_is_missing_is_named(tmp_path: Path) -> None:
    env = {"VABHUB_DATA_DIR": str(tmp_path), "SECRET_KEY_FILE": str(tmp_path / "nothing")}
    with pytest.raises(SettingsError, match="SECRET_KEY_FILE"):
        load_settings(env)


def test_the_key_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    env = {"VABHUB_DATA_DIR": str(tmp_path / "new")}
    keys: set[str] = set()
    threads = [threading.Thread(target=lambda: keys.add(load_settings(env).secret_key)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    path = tmp_path / "new" / "secret_key"
    assert keys == {path.read_text()}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["secret_key"]


def test_a_data_directory_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(
        SettingsError, match=r"VABHUB_DATA_DIR: .*/data cannot be used: [A-Z][a-z ]+\. Choose"
    ):
        load_settings({"VABHUB_DATA_DIR": str(tmp_path / "data")})


def test_media_roots_may_hold_colons(tmp_path: Path) -> None:
    made = load_settings(
        {"VABHUB_DATA_DIR": str(tmp_path), "VABHUB_MEDIA_ROOTS": "/a:b/films:movies, /tv:TV"}
    )
    assert [(str(root.path), root.kind) for root in made.media_roots] == [
        ("/a:b/films", "movies"),
        ("/tv", "tv"),
    ]


def test_a_deep_data_directory_gets_a_short_socket(tmp_path: Path) -> None:
    made = load_settings({"VABHUB_DATA_DIR": str(tmp_path / ("d" * 120))})
    assert len(made.redis_url) < 107
    assert made == load_settings({"VABHUB_DATA_DIR": str(tmp_path / ("d" * 120))})


@pytest.mark.parametrize("missing", ["DATABASE_URL", "REDIS_URL"])
def test_a_platform_without_its_services_is_refused(tmp_path: Path, missing: str) -> None:
    env = {
        "DYNO": "web.1",
        "SECRET_KEY": "k" * 16,
        "DATABASE_URL": "postgres://h/d",
        "REDIS_URL": "redis://h",
    }
    del env[missing]
    with pytest.raises(SettingsError, match=missing):
        load_settings(env)


def test_the_file_fills_what_the_environment_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "env").write_text(f"VABHUB_DATA_DIR={tmp_path}\nPORT=8111\nHOST=0.0.0.0\n")
    monkeypatch.setenv("VABHUB_ENV_FILE", str(tmp_path / "env"))
    monkeypatch.setenv("PORT", "8222")
    made = load_settings()
    assert (made.host, made.port, made.data_dir) == ("0.0.0.0", 8222, tmp_path)


def test_relative_paths_begin_at_the_checkout_wherever_we_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = load_settings({"SECRET_KEY": "a key of some length"})
    assert made.data_dir == Path(__file__).resolve().parent.parent / "data"
    assert list(tmp_path.iterdir()) == []

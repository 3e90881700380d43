"""The `vabhub` command as a shell sees it: output, exit codes, no tracebacks, no secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from tests.support.command import run
from tests.support.ports import free_port
from tests.support.redis import RedisServer
from vabhub import accounts
from vabhub.db import reading, transaction
from vabhub.models import Channel
from vabhub.notify import channels_admin
from vabhub.settings import Settings


@pytest.fixture
def env(sqlite: Settings) -> dict[str, str]:
    """The environment of an installation whose database is ready."""
    return {"VABHUB_DATA_DIR": str(sqlite.data_dir), "REDIS_URL": sqlite.redis_url}


def test_version(tmp_path: Path) -> None:
    done = run("--version", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("vabhub 0.")


def test_an_unknown_command_is_refused(tmp_path: Path) -> None:
    done = run("dance", cwd=tmp_path)
    assert done.returncode == 2
    assert "invalid choice: 'dance'" in done.stderr


def test_migrate_makes_the_database_and_may_be_repeated(tmp_path: Path) -> None:
    env = {"VABHUB_DATA_DIR": str(tmp_path / "data")}
    first, second = run("migrate", cwd=tmp_path, **env), run("migrate", cwd=tmp_path, **env)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "The database is at revision" in first.stdout
    assert (tmp_path / "data" / "vabhub.db").exists()


def test_migrate_creates_the_administrator_once(tmp_path: Path) -> None:
    env = {
        "VABHUB_DATA_DIR": str(tmp_path / "data"),
        "VABHUB_ADMIN_USER": "ada",
        "VABHUB_ADMIN_PASSWORD": "hunter2hunter2",
    }
    first, second = run("migrate", cwd=tmp_path, **env), run("migrate", cwd=tmp_path, **env)
    assert "The administrator ada was created." in first.stdout
    assert "created" not in second.stdout
    assert "hunter2" not in first.stdout + first.stderr


def test_migrate_names_a_database_that_does_not_answer(tmp_path: Path) -> None:
    url = f"postgresql://u:hunter2@127.0.0.1:{free_port()}/x"
    done = run("migrate", cwd=tmp_path, VABHUB_DATA_DIR=str(tmp_path), DATABASE_URL=url)
    assert done.returncode == 1
    address = url.replace("u:hunter2@", "")
    assert done.stderr.startswith(f"vabhub: DATABASE_URL: {address} does not answer: ")
    assert "nothing was stored" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "hunter2" not in done.stdout + done.stderr


def test_a_new_token_is_shown_once_alone_on_stdout(env: dict[str, str], tmp_path: Path) -> None:
    made = run("token", "create", "phone", "--scopes", "read,notify", cwd=tmp_path, **env)
    assert made.returncode == 0, made.stderr
    secret = made.stdout.strip()
    assert "\n" not in secret
    with reading() as session:
        row = accounts.find_token(session, secret)
        assert row is not None
        assert sorted(row.scopes) == ["notify", "read"]
        assert row.expires_at is None
    listed = run("token", "list", cwd=tmp_path, **env)
    assert "phone" in listed.stdout
    assert secret not in listed.stdout + listed.stderr


def test_a_token_with_days_expires(env: dict[str, str], tmp_path: Path) -> None:
    run("token", "create", "phone", "--expires-days", "7", cwd=tmp_path, **env)
    assert "valid until 20" in run("token", "list", cwd=tmp_path, **env).stdout


@pytest.mark.parametrize("which", ["phone", "1"])
def test_a_revoked_token_is_dead(env: dict[str, str], tmp_path: Path, which: str) -> None:
    secret = run("token", "create", "phone", cwd=tmp_path, **env).stdout.strip()
    assert run("token", "revoke", which, cwd=tmp_path, **env).returncode == 0
    with reading() as session:
        assert accounts.find_token(session, secret) is None
    assert "phone" not in run("token", "list", cwd=tmp_path, **env).stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("token", "create", "x", "--scopes", "everything"), "scopes: One or more of"),
        (("token", "create", "", "--scopes", "read"), "name"),
        (("token", "revoke", "nobody"), "nobody"),
    ],
)
def test_wrong_token_requests_are_one_line(
    env: dict[str, str], tmp_path: Path, args: tuple[str, ...], says: str
) -> None:
    done = run(*args, cwd=tmp_path, **env)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_second_token_of_the_same_name_is_refused(env: dict[str, str], tmp_path: Path) -> None:
    run("token", "create", "phone", cwd=tmp_path, **env)
    again = run("token", "create", "phone", cwd=tmp_path, **env)
    assert again.returncode == 1
    assert "phone" in again.stderr


def test_send_stores_and_queues(env: dict[str, str], tmp_path: Path) -> None:
    done = run("send", "Backup", "It is done", "--type", "success", cwd=tmp_path, **env)
    assert done.returncode == 0, done.stderr
    assert "notification 1: pending" in done.stdout


def test_send_says_when_it_did_not_finish_in_time(env: dict[str, str], tmp_path: Path) -> None:
    done = run("send", "Backup", "It is done", "--wait", "0.5", cwd=tmp_path, **env)
    assert done.returncode == 3, done.stderr


def test_send_to_an_unknown_channel_is_refused(env: dict[str, str], tmp_path: Path) -> None:
    done = run("send", "Backup", "It is done", "--channel", "pigeon", cwd=tmp_path, **env)
    assert done.returncode == 1
    assert "pigeon" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("wait", ["-1", "nan", "inf", "soon"])
def test_send_refuses_a_wait_that_is_none(tmp_path: Path, wait: str) -> None:
    done = run("send", "Backup", "It is done", "--wait", wait, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: vabhub send")
    assert "expected a number of seconds" in done.stderr


@pytest.mark.parametrize("command", ["send", "doctor", "token"])
def test_an_unknown_option_shows_the_usage_of_its_command(tmp_path: Path, command: str) -> None:
    words = {"send": ("Backup", "It is done"), "token": ("list",), "doctor": ()}[command]
    done = run(command, *words, "--loud", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: vabhub {command}")
    assert "--loud" in done.stderr


def test_send_takes_several_channels_at_once(env: dict[str, str], tmp_path: Path) -> None:
    words = ("--channels", "system, pigeon", "--channel", "owl")
    done = run("send", "Backup", "It is done", *words, cwd=tmp_path, **env)
    assert done.returncode == 1
    assert "pigeon" in done.stderr
    assert "owl" in done.stderr
    assert "'system'" not in done.stderr
    assert run("send", "Backup", "Done", "--channels", "system", cwd=tmp_path, **env).returncode == 0


@pytest.mark.parametrize("reason", [None, "the provider answered 401"])
def test_send_says_that_a_channel_is_switched_off(
    env: dict[str, str], tmp_path: Path, reason: str | None
) -> None:
    with transaction() as session:
        hook = {"name": "hook", "kind": "webhook", "settings": {"url": "https://example.org/hook"}}
        channels_admin.create_channel(session, channels_admin.NewChannel.model_validate(hook))
        values = {"disabled_reason": reason} if reason else {"enabled": False}
        session.execute(update(Channel).where(Channel.name == "hook").values(**values))
    done = run("send", "Backup", "It is done", "--channel", "hook", cwd=tmp_path, **env)
    first, second = done.stdout.splitlines()
    assert first.startswith("notification 1: ")
    assert second == f"channel hook is switched off: {reason or 'by hand, in its settings'}"


def test_the_doctor_finds_a_good_installation_well(env: dict[str, str], tmp_path: Path) -> None:
    done = run("doctor", cwd=tmp_path, **env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fail" not in done.stdout
    for part in ("settings", "data directory", "database", "redis", "downloads"):
        assert f"ok    {part}" in done.stdout
    assert done.stderr == ""


def test_the_doctor_says_how_to_mend(tmp_path: Path, redis_server: RedisServer) -> None:
    env = {
        "VABHUB_DATA_DIR": str(tmp_path / "data"),
        "REDIS_URL": f"redis://:hunter2@127.0.0.1:{free_port()}/0",
        "VABHUB_QBITTORRENT_URL": f"http://127.0.0.1:{free_port()}",
        "VABHUB_QBITTORRENT_PASSWORD": "hunter2",
        "VABHUB_MEDIA_ROOTS": f"{tmp_path}/nowhere:movies",
    }
    done = run("doctor", cwd=tmp_path, **env)
    assert done.returncode == 1
    assert "run `vabhub migrate`" in done.stdout
    for part in ("database", "redis", "qbittorrent", "media movies"):
        assert f"fail  {part}" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_doctor_says_once_where_qbittorrent_is_and_what_to_do(
    env: dict[str, str], tmp_path: Path, redis_server: RedisServer
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    done = run("doctor", cwd=tmp_path, VABHUB_QBITTORRENT_URL=url, **env)
    assert (
        f"fail  qbittorrent     Nothing listens at {url}\n      → Check that the program runs" in done.stdout
    )
    assert done.stdout.count(url) == 1


def test_the_doctor_warns_of_what_is_no_setting(env: dict[str, str], tmp_path: Path) -> None:
    done = run("doctor", cwd=tmp_path, VABHUB_MEDIA_ROOT="/films:movies", **env)
    assert done.returncode == 0
    assert "warn  settings        VABHUB_MEDIA_ROOT is set" in done.stdout
    assert "VABHUB_MEDIA_ROOTS is the closest one" in done.stdout


def test_the_doctor_names_a_wrong_setting(tmp_path: Path) -> None:
    done = run("doctor", cwd=tmp_path, PORT="eighty", VABHUB_DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "fail  settings" in done.stdout
    assert "PORT" in done.stdout

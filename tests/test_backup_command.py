"""`vabhub backup`: one file from which everything starts again elsewhere."""

from __future__ import annotations

import stat
import tarfile
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.support.command import run
from vabhub import db
from vabhub.db import reading, transaction
from vabhub.models import Channel
from vabhub.notify import channels_admin
from vabhub.notify.sealed import open_settings
from vabhub.settings import Settings, load_settings, use_settings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOOK = "http://127.0.0.1:9/hook"


@pytest.fixture
def env(sqlite: Settings) -> dict[str, str]:
    """An installation that has something to lose: a channel with a secret."""
    with transaction() as session:
        given = {"name": "hook", "kind": "webhook", "settings": {"url": HOOK, "secret": SECRET}}
        channels_admin.create_channel(session, channels_admin.NewChannel.model_validate(given))
    return {"VABHUB_DATA_DIR": str(sqlite.data_dir), "REDIS_URL": sqlite.redis_url}


def test_a_backup_taken_while_in_use_opens_elsewhere(env: dict[str, str], tmp_path: Path) -> None:
    archive, elsewhere = tmp_path / "backup.tar.gz", tmp_path / "elsewhere"
    with transaction():  # somebody is writing
        done = run("backup", str(archive), cwd=tmp_path, **env)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    with tarfile.open(archive) as opened:
        opened.extractall(elsewhere, filter="data")
    db.dispose()
    use_settings(load_settings({**env, "VABHUB_DATA_DIR": str(elsewhere)}))
    with reading() as session:
        sealed = session.scalars(select(Channel.sealed_settings).where(Channel.name == "hook")).one()
        assert open_settings(sealed)["secret"] == SECRET


def test_an_existing_file_is_kept(env: dict[str, str], tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar.gz"
    archive.write_text("precious")
    done = run("backup", str(archive), cwd=tmp_path, **env)
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert archive.read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".vabhub-backup-")] == []


def test_a_directory_that_is_not_there_is_said(env: dict[str, str], tmp_path: Path) -> None:
    done = run("backup", str(tmp_path / "nowhere" / "backup.tar.gz"), cwd=tmp_path, **env)
    assert done.returncode == 1
    assert "No backup was made" in done.stderr
    assert "Traceback" not in done.stderr


def test_for_postgresql_it_names_the_right_tool(tmp_path: Path) -> None:
    env = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none", "SECRET_KEY": "k" * 32}
    done = run("backup", "x.tar.gz", cwd=tmp_path, **env)
    assert done.returncode == 1
    assert "pg_dump" in done.stderr


def test_it_says_when_the_key_is_not_in_it(env: dict[str, str], tmp_path: Path) -> None:
    own = run("backup", str(tmp_path / "a.tar.gz"), cwd=tmp_path, **env, SECRET_KEY="k" * 32)
    made = run("backup", str(tmp_path / "b.tar.gz"), cwd=tmp_path, **env)
    assert "SECRET_KEY is not in it" in own.stdout
    assert "the key in it opens every secret" in made.stdout

"""`vabhub export`, `vabhub import` and `vabhub reseal`, as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notify.conftest import SECRET, Desk
from tests.support.command import run
from vabhub.db import reading
from vabhub.models import Base, Channel
from vabhub.notify import reseal
from vabhub.notify.sealed import open_settings
from vabhub.settings import Settings, use_settings

OLD, NEW = "the-old-key-long-enough", "the-new-key-long-enough"


@pytest.fixture
def env(sqlite: Settings) -> dict[str, str]:
    """An installation with a key of its own and one channel with a secret."""
    use_settings(sqlite.model_copy(update={"secret_key": OLD}))
    Desk().channel("chat", "http://127.0.0.1:9/")
    return {"VABHUB_DATA_DIR": str(sqlite.data_dir), "REDIS_URL": sqlite.redis_url, "SECRET_KEY": OLD}


def test_a_file_goes_out_and_comes_back(env: dict[str, str], tmp_path: Path) -> None:
    shown = run("export", cwd=tmp_path, **env)
    assert shown.returncode == 0, shown.stderr
    assert "secret: '***'" in shown.stdout
    written = run("export", "--secrets", "plain", "--output", "all.yaml", cwd=tmp_path, **env)
    assert "in the clear" in written.stderr
    file = tmp_path / "all.yaml"
    assert SECRET in file.read_text("utf-8")
    assert file.stat().st_mode & 0o777 == 0o600
    assert "exists" in run("export", "--output", "all.yaml", cwd=tmp_path, **env).stderr
    file.write_text(file.read_text("utf-8").replace("enabled: true", "enabled: false"), "utf-8")
    tried = run("import", "all.yaml", "--dry-run", cwd=tmp_path, **env)
    assert tried.stdout == "change channel chat: enabled\nNothing was changed: a dry run.\n"
    done = run("import", "-", cwd=tmp_path, stdin=file.read_text("utf-8"), **env)
    assert done.stdout == "change channel chat: enabled\nDone.\n"


def test_a_broken_file_is_one_line_and_exit_code_1(env: dict[str, str], tmp_path: Path) -> None:
    done = run("import", "-", cwd=tmp_path, stdin="version: 1\nchannels: [{name: x, kind: webhook}]", **env)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "vabhub: channels.0.settings.url: Field required.\n"
    assert "cannot be read" in run("import", "nothing.yaml", cwd=tmp_path, **env).stderr


def test_a_key_is_changed_without_losing_a_secret(env: dict[str, str], tmp_path: Path) -> None:
    both = env | {"SECRET_KEY": f"{NEW},{OLD}"}
    assert "1 sealed with an older key" in run("doctor", cwd=tmp_path, **both).stdout
    done = run("reseal", cwd=tmp_path, **both)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "1 sealed anew."), done.stderr
    assert run("reseal", cwd=tmp_path, **both).stdout.startswith("0 sealed anew.")
    only_new = env | {"SECRET_KEY": NEW}
    assert "all sealed with the newest key" in run("doctor", cwd=tmp_path, **only_new).stdout
    use_settings(Settings(secret_key=NEW, database_url=f"sqlite:///{env['VABHUB_DATA_DIR']}/vabhub.db"))
    with reading() as session:
        sealed = session.query(Channel.sealed_settings).filter_by(name="chat").scalar()
    assert open_settings(sealed)["secret"] == SECRET


def test_no_sealed_column_is_forgotten() -> None:
    columns = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name.startswith("sealed")
    }
    assert columns == {(place.model.__tablename__, place.column) for place in reseal._PLACES}


def test_what_no_key_opens_is_named(env: dict[str, str], tmp_path: Path) -> None:
    lost = env | {"SECRET_KEY": NEW}
    done = run("reseal", cwd=tmp_path, **lost)
    assert done.returncode == 1
    assert "cannot be opened with any key: channel chat" in done.stdout
    told = run("doctor", cwd=tmp_path, **lost)
    assert told.returncode == 1
    assert "secrets         cannot be opened: channel chat" in told.stdout
    assert "channel chat" in run("export", cwd=tmp_path, **lost).stderr
    assert run("reseal", cwd=tmp_path, **env).returncode == 0, "nothing was spoilt by trying"

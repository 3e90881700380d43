"""`vabhub account`: a forgotten password is set anew by whoever sits at the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import run
from vabhub import accounts
from vabhub.db import reading, transaction
from vabhub.errors import Unauthorized
from vabhub.settings import Settings

OLD, NEW = "the old password", "correct horse battery"


@pytest.fixture
def env(sqlite: Settings) -> dict[str, str]:
    """An installation with one account that is signed in in one browser."""
    with transaction() as session:
        user = accounts.create_first_admin(session, "anna", OLD)
        accounts.open_session(session, user, days=1, user_agent=None)
    return {"VABHUB_DATA_DIR": str(sqlite.data_dir), "REDIS_URL": sqlite.redis_url}


def test_a_forgotten_password_is_replaced(env: dict[str, str], tmp_path: Path) -> None:
    done = run("account", "password", "anna", cwd=tmp_path, stdin=f"{NEW}\n", **env)
    assert done.returncode == 0, done.stderr
    assert NEW not in done.stdout + done.stderr
    with reading() as session:
        assert accounts.check_password(session, "anna", NEW).username == "anna"
        with pytest.raises(Unauthorized):
            accounts.check_password(session, "anna", OLD)
        assert not accounts.session_is_live(session, 1)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [("bert", NEW, "There is no account 'bert'"), ("anna", "short", "8 characters")],
)
def test_what_cannot_be_set_changes_nothing(
    env: dict[str, str], tmp_path: Path, name: str, given: str, said: str
) -> None:
    done = run("account", "password", name, cwd=tmp_path, stdin=f"{given}\n", **env)
    assert done.returncode == 1
    assert said in done.stderr
    with reading() as session:
        assert accounts.check_password(session, "anna", OLD)
        assert accounts.session_is_live(session, 1)


def test_accounts_are_listed(env: dict[str, str], tmp_path: Path) -> None:
    done = run("account", "list", cwd=tmp_path, **env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("anna  administrator  since ")

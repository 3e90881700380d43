"""`vabhub backup`: all that is needed to start again elsewhere, in one file, while everything runs."""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from vabhub.commands import keep_quiet
from vabhub.errors import VabHubError

if TYPE_CHECKING:
    from vabhub.commands import Subcommands
    from vabhub.settings import Settings

DATABASE, KEY = "vabhub.db", "secret_key"
_PAGES_AT_ONCE = 1000


def add_to(commands: Subcommands) -> None:
    """Declare the arguments."""
    parser = commands.add_parser("backup", help="write database and key into one file, while all runs")
    parser.add_argument("file", metavar="FILE", type=Path, help="a .tar.gz that does not exist yet")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the archive; it appears whole or not at all, readable by its owner alone: it holds the key."""
    from vabhub.settings import get_settings

    keep_quiet()
    settings = get_settings()
    source = Path(settings.database_url.removeprefix("sqlite:///"))
    if not settings.database_url.startswith("sqlite:"):
        raise VabHubError("The database is PostgreSQL: back it up with pg_dump, and keep SECRET_KEY with it.")
    if not source.exists():
        raise VabHubError(f"There is no database at {source}: nothing to back up yet.")
    try:
        size_mb = _write(args.file.absolute(), source, settings.data_dir / KEY)
    except (OSError, sqlite3.Error) as error:
        raise VabHubError(f"No backup was made: {error}.") from error
    sys.stdout.write(f"{args.file}: {size_mb:.1f} MB. {_about_the_key(settings.data_dir / KEY, settings)}\n")
    return 0


def _about_the_key(key: Path, settings: Settings) -> str:
    if key.exists() and settings.secret_key == key.read_text(encoding="ascii").strip():
        return "Keep it safe: the key in it opens every secret."
    return "Your SECRET_KEY is not in it: keep that beside it, the secrets open with nothing else."


def _write(target: Path, database: Path, key: Path) -> float:
    if target.exists():
        raise FileExistsError(f"{target} exists already")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".vabhub-backup-") as directory:
        copy, draft = Path(directory) / DATABASE, Path(directory) / "archive"
        _copy_database(database, copy)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz") as archive:
                archive.add(copy, DATABASE)
                if key.exists():  # absent when SECRET_KEY comes from the environment
                    archive.add(key, KEY)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, target)  # unlike rename, never replaces a backup that was made meanwhile
    return target.stat().st_size / 1e6


def _copy_database(source: Path, target: Path) -> None:
    """Copy through SQLite itself: a plain copy of a database in use may be torn."""
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as read,
        closing(sqlite3.connect(target)) as written,
    ):
        read.backup(written, pages=_PAGES_AT_ONCE, sleep=0.05)
        found = written.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(f"the copy is damaged: {found}")

"""`vabhub migrate`: bring the database to the newest revision and create the account the settings name."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from vabhub.commands import keep_quiet
from vabhub.errors import SettingsError, Unavailable

if TYPE_CHECKING:
    from vabhub.commands import Subcommands


def add_to(commands: Subcommands) -> None:
    """Declare the arguments."""
    parser = commands.add_parser("migrate", help="bring the database to the newest revision")
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Migrate; safe to run again and by several machines at once."""
    from vabhub import accounts, migrate
    from vabhub.settings import get_settings, without_password

    keep_quiet()
    settings = get_settings()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        migrate.upgrade()
        made = accounts.ensure_admin(settings)
    except Unavailable as error:
        shown = without_password(settings.database_url)
        raise SettingsError(f"DATABASE_URL: {shown} does not answer: {reason(error)}.") from error
    sys.stdout.write(f"The database is at revision {migrate.newest()}.\n")
    if made:
        sys.stdout.write(f"The administrator {settings.admin_user} was created.\n")
    return 0


def reason(error: Exception) -> str:
    """Return the driver's own words, on one line and without a full stop."""
    cause = error.__cause__
    said = str(getattr(cause, "orig", None) or cause or error)
    return "; ".join(line.strip() for line in said.splitlines() if line.strip())[:300].rstrip(".")

"""`vabhub token`: credentials for programs."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from vabhub.clock import isoformat, utcnow
from vabhub.commands import keep_quiet
from vabhub.errors import NotFound

if TYPE_CHECKING:
    from vabhub.commands import Subcommands


def add_to(commands: Subcommands) -> None:
    """Declare the arguments."""
    parser = commands.add_parser("token", help="create, list and revoke tokens for programs")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    _add_create(actions)
    listing = actions.add_parser("list", help="list tokens; what they are is never shown again")
    listing.set_defaults(run=show_all)
    revoke = actions.add_parser("revoke", help="end a token at once")
    revoke.add_argument("name", metavar="NAME", help="its name or number")
    revoke.set_defaults(run=end)


def _add_create(actions: Subcommands) -> None:
    create = actions.add_parser("create", help="create a token and show it, once")
    create.add_argument("name", metavar="NAME", help="what will use it")
    create.add_argument(
        "--scopes", default="read", help="of read, notify, control, admin; separated by commas"
    )
    create.add_argument("--expires-days", type=_days, metavar="N", help="end it after N days")
    create.set_defaults(run=make)


def make(args: argparse.Namespace) -> int:
    """Create a token; only the token itself goes to stdout, so that a script can take it."""
    from vabhub import accounts
    from vabhub.db import transaction

    keep_quiet()
    scopes = [scope.strip() for scope in args.scopes.split(",") if scope.strip()]
    expires_at = utcnow() + timedelta(days=args.expires_days) if args.expires_days else None
    with transaction() as session:
        _row, secret = accounts.create_token(session, args.name, scopes, expires_at=expires_at)
    sys.stdout.write(f"{secret}\n")
    sys.stderr.write("Keep it now: it is not stored and will not be shown again.\n")
    return 0


def show_all(_args: argparse.Namespace) -> int:
    """Print one line a token."""
    from vabhub import accounts
    from vabhub.db import reading

    keep_quiet()
    with reading() as session:
        rows = [
            (str(row.id), row.name, ",".join(row.scopes), _when(row.created_at), _state(row))
            for row in accounts.list_tokens(session)
        ]
    table = [("ID", "NAME", "SCOPES", "CREATED", "STATE"), *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    return 0


def end(args: argparse.Namespace) -> int:
    """Revoke a token by name or number."""
    from vabhub import accounts
    from vabhub.db import transaction

    keep_quiet()
    with transaction() as session:
        which = int(args.name) if args.name.isdigit() else args.name
        try:
            row = accounts.revoke_token(session, which)
        except NotFound as error:
            raise NotFound(f"There is no token {args.name!r}.") from error
        sys.stdout.write(f"The token {row.name} is revoked.\n")
    return 0


def _days(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 3650:
        raise argparse.ArgumentTypeError("expected a number of days from 1 to 3650")
    return int(text)


def _when(moment: object) -> str:
    from datetime import datetime

    return isoformat(moment)[:19] + "Z" if isinstance(moment, datetime) else "-"


def _state(row: object) -> str:
    expires_at = getattr(row, "expires_at", None)
    if expires_at and expires_at <= utcnow():
        return f"expired {_when(expires_at)}"
    return f"valid until {_when(expires_at)}" if expires_at else "valid"

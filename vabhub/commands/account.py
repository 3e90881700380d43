"""`vabhub account`: who may sign in, and a new password for who forgot it."""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import TYPE_CHECKING

from vabhub.clock import isoformat
from vabhub.commands import keep_quiet
from vabhub.errors import FieldError, ValidationFailed

if TYPE_CHECKING:
    from vabhub.commands import Subcommands


def add_to(commands: Subcommands) -> None:
    """Declare the arguments."""
    parser = commands.add_parser("account", help="list accounts, set a forgotten password anew")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list who can sign in")
    listing.set_defaults(run=show_all)
    password = actions.add_parser("password", help="set a new password; asks for it, or reads it from a pipe")
    password.add_argument("name", metavar="NAME", help="whose")
    password.set_defaults(run=set_password)


def show_all(_args: argparse.Namespace) -> int:
    """Print one line an account."""
    from vabhub import accounts
    from vabhub.db import reading

    keep_quiet()
    with reading() as session:
        for user in accounts.list_accounts(session):
            kind = "administrator" if user.is_admin else "user"
            sys.stdout.write(f"{user.username}  {kind}  since {isoformat(user.created_at)[:10]}\n")
    return 0


def set_password(args: argparse.Namespace) -> int:
    """Set the password and sign out every browser. It is never an argument: others can read those."""
    from vabhub import accounts
    from vabhub.db import transaction

    keep_quiet()
    new = _ask()
    with transaction() as session:
        user = accounts.reset_password(session, args.name, new)
        sys.stdout.write(f"{user.username} has a new password; every browser was signed out.\n")
    return 0


def _ask() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    new = getpass.getpass("New password: ")
    if getpass.getpass("Once more: ") != new:
        raise ValidationFailed([FieldError("password", "The two are not the same.", "mismatch")])
    return new

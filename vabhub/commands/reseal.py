"""`vabhub reseal`: after a new SECRET_KEY, seal every stored secret with it, and say what was lost."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from vabhub.commands import keep_quiet

if TYPE_CHECKING:
    from vabhub.commands import Subcommands


def add_to(commands: Subcommands) -> None:
    """Declare the arguments."""
    parser = commands.add_parser(
        "reseal",
        help="seal stored secrets with the newest key",
        description="Set SECRET_KEY=NEW,OLD and restart, run this, then take OLD away. "
        "Exit code: 0 all is sealed with the newest key, 1 something cannot be opened.",
    )
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Seal anew; safe to run again and while everything runs."""
    from vabhub.db import transaction
    from vabhub.notify.reseal import reseal_all

    keep_quiet()
    with transaction() as session:
        done = reseal_all(session)
    sys.stdout.write(f"{done.count} sealed anew.\n")
    for name in done.lost:
        sys.stdout.write(f"cannot be opened with any key: {name}\n")
    if done.lost:
        sys.stdout.write("Put their key into SECRET_KEY too, or enter these again on /settings/channels.\n")
        return 1
    sys.stdout.write("Older keys may be taken out of SECRET_KEY now.\n")
    return 0

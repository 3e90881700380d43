"""`vabhub up`: start everything and keep it running."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vabhub.commands import Subcommands


def add_to(commands: Subcommands) -> None:
    """Declare the arguments."""
    parser = commands.add_parser("up", help="start Redis, the web process, the worker and the scheduler")
    parser.add_argument(
        "--procfile", type=Path, metavar="PATH", help="run these processes instead of our own"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run until a signal."""
    from vabhub.supervisor.up import up

    return up(args.procfile.absolute() if args.procfile else None)

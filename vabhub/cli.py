"""The `vabhub` command. Each subcommand loads only what it needs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from vabhub import __version__
from vabhub.commands import account, backup, doctor, migrate, portable, reseal, send, token, up
from vabhub.errors import VabHubError, ValidationFailed

_COMMANDS = (up, migrate, account, token, send, backup, portable, reseal, doctor)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code. An error that we know is one line on stderr, no traceback."""
    args, unknown = build_parser().parse_known_args(argv)
    if unknown:
        args.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    try:
        return int(args.run(args))
    except VabHubError as error:
        sys.stderr.write(f"vabhub: {_in_words(error)}\n")
    except KeyboardInterrupt:
        sys.stderr.write("vabhub: interrupted\n")
    return 1


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with every subcommand on it."""
    parser = argparse.ArgumentParser(
        prog="vabhub", description="A media stack's dashboard and notifications."
    )
    parser.add_argument("--version", action="version", version=f"vabhub {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_to(commands)
    for subparser in commands.choices.values():
        subparser.set_defaults(parser=subparser)  # whose usage an unknown option shows
    return parser


def _in_words(error: VabHubError) -> str:
    if isinstance(error, ValidationFailed) and error.errors:
        return "; ".join(f"{fault.field}: {fault.message.rstrip('.')}" for fault in error.errors) + "."
    return error.message

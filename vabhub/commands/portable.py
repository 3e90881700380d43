"""`vabhub export` and `vabhub import`: channels and templates as one YAML file."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vabhub.commands import keep_quiet
from vabhub.errors import VabHubError

if TYPE_CHECKING:
    from vabhub.commands import Subcommands

_SAID = {"create": "create", "update": "change", "same": "leave"}


def add_to(commands: Subcommands) -> None:
    """Declare the arguments of both."""
    out = commands.add_parser("export", help="write channels and templates as one YAML file")
    out.add_argument(
        "--secrets",
        choices=("masked", "sealed", "plain"),
        default="masked",
        help="masked: left out; sealed: for the same SECRET_KEY; plain: in the clear",
    )
    out.add_argument("--output", metavar="FILE", type=Path, help="a new file that only you can read")
    out.set_defaults(run=write)
    taken = commands.add_parser("import", help="take channels and templates from such a file")
    taken.add_argument("file", metavar="FILE", help="the file; - reads standard input")
    taken.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    taken.set_defaults(run=read)


def write(args: argparse.Namespace) -> int:
    """Write the file, or print it."""
    from vabhub.db import reading
    from vabhub.notify.exporting import Secrets, export

    keep_quiet()
    with reading() as session:
        made = export(session, Secrets(args.secrets))
    if args.output is None:
        sys.stdout.write(made.yaml)
    else:
        _write_privately(args.output, made.yaml)
    if args.secrets == "plain":
        sys.stderr.write("vabhub: secrets are in it in the clear: keep it safe.\n")
    for name in made.left_out:
        sys.stderr.write(f"vabhub: left out, since it cannot be opened: channel {name}\n")
    return 1 if made.left_out else 0


def read(args: argparse.Namespace) -> int:
    """Take the file in, or say what that would change."""
    from vabhub.notify.importing import import_yaml

    keep_quiet()
    try:
        text = sys.stdin.read() if args.file == "-" else Path(args.file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise VabHubError(f"{args.file} cannot be read: {error}.") from error
    for change in import_yaml(text, dry_run=args.dry_run):
        fields = f": {', '.join(change.fields)}" if change.fields else ""
        sys.stdout.write(f"{_SAID[change.action]} {change.what} {change.name}{fields}\n")
    sys.stdout.write("Nothing was changed: a dry run.\n" if args.dry_run else "Done.\n")
    return 0


def _write_privately(path: Path, text: str) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    except OSError as error:
        raise VabHubError(f"{path} cannot be written: {error.strerror}.") from error

"""`vabhub send`: a notification from a shell."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from vabhub.commands import keep_quiet

if TYPE_CHECKING:
    from vabhub.commands import Subcommands

DELIVERED, FAILED, STILL_WAITING = 0, 1, 3


def add_to(commands: Subcommands) -> None:
    """Declare the arguments."""
    parser = commands.add_parser(
        "send",
        help="send a notification",
        description="Exit code: 0 accepted (with --wait: delivered everywhere), 1 refused or failed, "
        "3 not finished within --wait.",
    )
    parser.add_argument("title")
    parser.add_argument("message", help="the text; - reads it from standard input")
    parser.add_argument("--channel", action="append", default=[], metavar="NAME", help="may be repeated")
    parser.add_argument("--priority", choices=("low", "normal", "high", "urgent"), default="normal")
    parser.add_argument("--type", choices=("info", "success", "warning", "error"), default="info")
    parser.add_argument("--wait", type=float, metavar="SECONDS", help="wait so long for the outcome")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Store and queue it, and say what became of it."""
    from vabhub.notify import NotificationChannelManager

    keep_quiet()
    receipt = NotificationChannelManager().send(
        title=args.title,
        message=sys.stdin.read() if args.message == "-" else args.message,
        channels=args.channel,
        priority=args.priority,
        type=args.type,
    )
    status = str(receipt.wait(args.wait) if args.wait else receipt.status())
    sys.stdout.write(f"notification {receipt.id}: {status}\n")
    if not args.wait or status == "sent":
        return DELIVERED
    return STILL_WAITING if status in ("pending", "sending") else FAILED

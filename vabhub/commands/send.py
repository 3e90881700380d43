"""`vabhub send`: a notification from a shell."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vabhub.commands import keep_quiet

if TYPE_CHECKING:
    from vabhub.commands import Subcommands
    from vabhub.notify import Receipt

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
    parser.add_argument(
        "--channel",
        "--channels",
        action="extend",
        type=_names,
        default=[],
        metavar="NAME",
        help="may be repeated, and may be several, separated by commas",
    )
    parser.add_argument("--priority", choices=("low", "normal", "high", "urgent"), default="normal")
    parser.add_argument("--type", choices=("info", "success", "warning", "error"), default="info")
    parser.add_argument("--wait", type=_seconds, metavar="SECONDS", help="wait so long for the outcome")
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
    status = str(receipt.status() if args.wait is None else receipt.wait(args.wait))
    sys.stdout.write(f"notification {receipt.id}: {status}\n")
    for line in _switched_off(receipt):
        sys.stdout.write(f"{line}\n")
    if args.wait is None or status == "sent":
        return DELIVERED
    return STILL_WAITING if status in ("pending", "sending") else FAILED


def _switched_off(receipt: Receipt) -> Iterator[str]:
    """Yield a line for each of its channels through which nothing goes out."""
    from vabhub.db import reading
    from vabhub.notify import channels_admin

    used = {delivery["channel"] for delivery in receipt.deliveries}
    with reading() as session:
        for channel in channels_admin.list_channels(session):
            if channel["name"] in used and (channel["disabled_reason"] or not channel["enabled"]):
                why = channel["disabled_reason"] or "by hand, in its settings"
                yield f"channel {channel['name']} is switched off: {why}"


def _names(text: str) -> list[str]:
    return [name for name in (piece.strip() for piece in text.split(",")) if name]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number of seconds, 0 or more, got {text!r}")
    return seconds

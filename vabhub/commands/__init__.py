"""One module a subcommand: `add_to` declares its arguments, `run` does it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Subcommands = argparse._SubParsersAction[argparse.ArgumentParser]


def keep_quiet() -> None:
    """Let a command's own words be all that it writes: whatever matters is an error or an exit code."""
    from vabhub.log import configure_logging

    configure_logging(process="vabhub", level="critical")

"""`python -m tests.bench [names…]`: measures, and prints the machine, a table each, and ratios.

It fails when something could not be measured, never because of a number.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
import traceback
from importlib import import_module
from pathlib import Path

from tests.bench import machine

BENCHMARKS = ("throughput", "latency", "million", "steps", "history", "library", "live", "cache")


def main() -> int:
    """Run what was asked for, one after another."""
    args = _arguments()
    # Everything it has started must end with it, however it ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    _say(machine.describe())
    with tempfile.TemporaryDirectory(prefix="vabhub-bench-") as temporary:
        done = [_run(name, args.directory or Path(temporary), args) for name in args.names or BENCHMARKS]
    return 0 if all(done) else 1


def _run(name: str, directory: Path, args: argparse.Namespace) -> bool:
    began = time.monotonic()
    try:
        report = import_module(f"tests.bench.{name}").measure(directory, args.rounds, quick=args.quick)
    except Exception:  # noqa: BLE001 (the edge of the process: the others are still to be measured)
        _say(f"{name} could not be measured:\n{traceback.format_exc()}")
        return False
    _say(report.text())
    _say(f"took {time.monotonic() - began:.0f} s; {machine.load()}\n")
    return True


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], help=", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, default=5, help="every figure is the median of so many")
    parser.add_argument("--quick", action="store_true", help="small loads, to see that it works")
    parser.add_argument("--directory", type=Path, help="keep logs and data there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

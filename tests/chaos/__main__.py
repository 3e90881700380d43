"""`python -m tests.chaos`: runs the experiments with real processes and prints what was measured.

Exit code 0 when every line was held. `--short` is the form that every test run includes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.chaos import table
from tests.chaos.registry import EXPERIMENTS
from tests.chaos.runner import run_all, run_one


def main() -> int:
    """Run what was asked for."""
    args = _arguments()
    if args.one:
        return run_one(args.one, args.backend, short=args.short, directory=args.directory)
    only = set(args.only.split(",")) if args.only else None
    chosen = [
        (experiment, backend)
        for experiment in EXPERIMENTS
        for backend in experiment.backends
        if (only is None or experiment.name in only) and args.backend in ("both", backend)
    ]
    results = run_all(chosen, short=args.short, lanes=args.lanes, keep=args.directory)
    sys.stdout.write(table.draw(results))
    if args.json:
        table.write_json(results, args.json)
    return 0 if results and all(result.passed for result in results) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--short", action="store_true", help="small loads, few faults: at most six minutes")
    parser.add_argument("--only", help="numbers of the table, e.g. 1,4; controls are plain-1, plain-4 …")
    parser.add_argument("--backend", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--lanes", type=int, help="how many experiments at the same time")
    parser.add_argument("--json", type=Path, help="write the results there too")
    parser.add_argument("--directory", type=Path, help="keep logs and data there")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""`python -m vabhub` is the `vabhub` command, for places where the script is not installed."""

import sys

from vabhub.cli import main

if __name__ == "__main__":
    sys.exit(main())

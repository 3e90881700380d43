"""VabHub's domain: what web, workers and scheduler share. Knows no Flask, no actor, no timer."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("vabhub")
except PackageNotFoundError:  # a checkout that was never installed, as on a Procfile platform
    __version__ = "0.1.0"

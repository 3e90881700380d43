"""Rules that numbers are held to, and who is told when one is broken and when it is well again."""

from vabhub.alerts.check import Checker, prune

__all__ = ["Checker", "prune"]

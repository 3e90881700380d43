"""Times that stay where they are meant to be, whenever the tests run."""

from __future__ import annotations

from datetime import timedelta

from vabhub.clock import isoformat, utcnow

IN_A_MONTH = isoformat(utcnow() + timedelta(days=30))

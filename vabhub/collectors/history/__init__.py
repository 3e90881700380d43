"""The past of the numbers: raw for an hour, coarser for longer. What was not measured stays a gap."""

from vabhub.collectors.history.prune import prune
from vabhub.collectors.history.query import known_series, query
from vabhub.collectors.history.recorder import Recorder
from vabhub.collectors.history.series import NAMES
from vabhub.collectors.history.tiers import DAY_S, HOUR_S, RAW, TIERS

__all__ = [
    "DAY_S",
    "HOUR_S",
    "NAMES",
    "RAW",
    "TIERS",
    "Recorder",
    "flush",
    "known_series",
    "prune",
    "query",
    "record",
]

_recorder = Recorder()
record = _recorder.record
flush = _recorder.flush

"""The media library: which roots there are, what is in them, how the scans stand, and the counts."""

from vabhub.collectors.library.roots import sync_roots
from vabhub.collectors.library.scan import RootGone, ScanResult, scan
from vabhub.collectors.library.scan_rows import ScanState
from vabhub.collectors.library.scan_run import run_scan
from vabhub.collectors.library.scans import (
    current_scans,
    request_all_scans,
    request_due_scans,
    request_scan,
)
from vabhub.collectors.library.stats import media_stats, music_stats

__all__ = [
    "RootGone",
    "ScanResult",
    "ScanState",
    "current_scans",
    "media_stats",
    "music_stats",
    "request_all_scans",
    "request_due_scans",
    "request_scan",
    "run_scan",
    "scan",
    "sync_roots",
]

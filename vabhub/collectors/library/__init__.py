"""The media library: which roots there are, what is in them, how the scans stand, and the counts."""

from vabhub.collectors.library.changes import Changes
from vabhub.collectors.library.codec import read_codec
from vabhub.collectors.library.files import duplicates, file_view, unparsed
from vabhub.collectors.library.overrides import remove_override, set_override
from vabhub.collectors.library.overview import roots_view
from vabhub.collectors.library.posters import Poster, read_poster
from vabhub.collectors.library.roots import sync_roots
from vabhub.collectors.library.scan import RootGone, ScanResult, scan
from vabhub.collectors.library.scan_rows import ScanState
from vabhub.collectors.library.scan_run import run_scan
from vabhub.collectors.library.scans import (
    cancel_scan,
    current_scans,
    request_all_scans,
    request_due_scans,
    request_scan,
)
from vabhub.collectors.library.stats import media_stats, music_stats

__all__ = [
    "Changes",
    "Poster",
    "RootGone",
    "ScanResult",
    "ScanState",
    "cancel_scan",
    "current_scans",
    "duplicates",
    "file_view",
    "media_stats",
    "music_stats",
    "read_codec",
    "read_poster",
    "remove_override",
    "request_all_scans",
    "request_due_scans",
    "request_scan",
    "roots_view",
    "run_scan",
    "scan",
    "set_override",
    "sync_roots",
    "unparsed",
]

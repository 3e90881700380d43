"""Read a video's codec, on request only: by MediaInfo, in a process of its own.

MediaInfo is a large parser in C++ and the file comes from anywhere: what breaks it, breaks only its process.
Run as `python -m vabhub.collectors.library.codec PATH`, it prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import Any

from vabhub.collectors.library.files import file_of
from vabhub.collectors.library.walk import disk_path
from vabhub.db import reading
from vabhub.errors import Unavailable

_TIMEOUT_S = 15
# Each is an interpreter of its own: a small NAS has no room for as many as somebody asks for at once.
_slots = threading.BoundedSemaphore(2)
_TURN_S = 5
_NOTHING = {"video_codec": None, "audio_codec": None, "width": None, "height": None, "duration_s": None}


def read_codec(file_id: int) -> dict[str, Any]:
    """Return `video_codec, audio_codec, width, height, duration_s` and `reason`, which says why all are null.

    Raises NotFound for an id that does not exist, Unavailable when others are read just now.
    """
    with reading() as session:
        file, root = file_of(session, file_id)
        path = os.path.join(disk_path(root.path), disk_path(file.path))  # noqa: PTH118
    command = [sys.executable, "-m", __name__, path]
    if not _slots.acquire(timeout=_TURN_S):
        raise Unavailable("Other files are being read.", retry_after_s=_TURN_S)
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return {**_NOTHING, "reason": f"MediaInfo took longer than {_TIMEOUT_S} s."}
    finally:
        _slots.release()
    if done.returncode:
        return {**_NOTHING, "reason": "MediaInfo ended with an error."}
    return {**_NOTHING, "reason": None, **json.loads(done.stdout)}


def probe(path: str) -> dict[str, Any]:
    """Return what MediaInfo says of a file, or the reason why it says nothing."""
    from pymediainfo import MediaInfo

    if not MediaInfo.can_parse():
        return {"reason": "libmediainfo is not installed on this machine."}
    try:
        # 0 reads heads and indexes only, about 17 ms a file.
        tracks = MediaInfo.parse(path, parse_speed=0).tracks
    except (OSError, RuntimeError) as error:
        return {"reason": f"The file cannot be read: {type(error).__name__}."}
    first = {track.track_type: track.to_data() for track in reversed(tracks)}
    video, audio, general = (first.get(kind, {}) for kind in ("Video", "Audio", "General"))
    if not video and not audio:
        return {"reason": "MediaInfo finds neither picture nor sound in it."}
    duration_ms = general.get("duration")
    return {
        "video_codec": video.get("format"),
        "audio_codec": audio.get("format"),
        "width": video.get("width"),
        "height": video.get("height"),
        "duration_s": round(float(duration_ms) / 1000, 1) if duration_ms else None,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(probe(sys.argv[1])))

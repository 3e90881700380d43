"""Find the media files below a root: no loop of links, no file that is not media, no error that stops it."""

from __future__ import annotations

import os
import re
import stat
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

VIDEO = frozenset(
    (  # noqa: SIM905 - a row of words is easier to read than a column
        "3gp asf avi divx f4v flv iso m2ts m4v mkv mov mp4 mpeg mpg mts ogm ogv rm rmvb strm ts vob webm wmv"
    ).split()
)
AUDIO = frozenset(
    "aac aif aiff alac ape dff dsf flac m4a mka mp3 mpc oga ogg opus tak tta wav wma wv".split()  # noqa: SIM905
)
PLAYLISTS = frozenset({"m3u", "m3u8", "pls"})

# Bins and thumbnail stores of NAS systems; hidden folders are skipped by their dot.
_SYSTEM_FOLDERS = frozenset(
    {"@eadir", "#recycle", "@recycle", "#snapshot", "$recycle.bin", "lost+found", "system volume information"}
)
# Plex's and Jellyfin's names for what belongs to a film without being one.
_EXTRAS_FOLDERS = frozenset(
    {
        "behind the scenes",
        "bonus",
        "deleted scenes",
        "extra",
        "extras",
        "featurette",
        "featurettes",
        "interviews",
        "sample",
        "samples",
        "scans",
        "trailer",
        "trailers",
    }
)
_ANIME_EXTRAS_FOLDERS = frozenset({"cds", "menu", "menus", "nc", "pv", "scan", "sps"})
_EXTRAS_FILE = re.compile(r"(?:^|[-._ \[(])(?:sample|trailer)(?:[-._ \])]?\d*)?$", re.IGNORECASE)
_ANIME_EXTRAS_FILE = re.compile(r"(?:^|[\s\[_.])(?:NC(?:OP|ED)|Menu|PV|CM|Creditless)[ _]?\d*(?:[\s\]_.v]|$)")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A media file. `path` is relative to the root and is text that any database takes."""

    path: str
    size_bytes: int
    mtime_ns: int


@dataclass(slots=True)
class Found:
    """What a walk saw. `unreadable` are folders and files that could not be looked at, in stored form."""

    files: list[FoundFile] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    is_empty: bool = False


def stored_path(path: str) -> str:
    """Return a path as text that is valid UTF-8, different for different paths.

    Bytes that are not UTF-8 (Python's lone surrogates) become `\\xNN`, a backslash becomes two.
    """
    doubled = path.replace("\\", "\\\\")
    return doubled.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def disk_path(stored: str) -> str:
    """Return the path that `stored_path` made `stored` from."""
    raw = re.sub(
        rb"\\(\\|x[0-9a-f]{2})",
        lambda match: b"\\" if match[1] == b"\\" else bytes([int(match[1][1:], 16)]),
        stored.encode("utf-8"),
    )
    return raw.decode("utf-8", "surrogateescape")


def walk(
    root: str, kind: str, *, skip: Collection[str] = (), on_folder: Callable[[int], None] = lambda _: None
) -> Found:
    """Return the media files below `root` that fit its kind.

    Raises OSError when the root itself cannot be listed. `skip` are folders (real paths) that are roots
    of their own; `on_folder` hears the number of files found so far after each folder.
    """
    walker = _Walker(root, kind, frozenset(skip))
    walker.run(on_folder)
    return walker.found


class _Walker:
    def __init__(self, root: str, kind: str, skip: frozenset[str]) -> None:
        self.root = root
        self.is_music = kind == "music"
        self.is_anime = kind == "anime"
        self.skip = skip
        self.found = Found()
        self._seen: set[tuple[int, int]] = set()
        # Links wait until every real folder is done: a folder that is reached both ways keeps its own path.
        self._folders: deque[str] = deque()
        self._links: deque[str] = deque()

    def run(self, on_folder: Callable[[int], None]) -> None:
        entries = self._entries("")
        self.found.is_empty = not entries
        self._take("", entries)
        while self._folders or self._links:
            folder = (self._folders or self._links).popleft()
            try:
                self._take(folder, self._entries(folder))
            except OSError:
                self.found.unreadable.append(stored_path(folder))
            on_folder(len(self.found.files))

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        """Return a folder's entries, none when it was visited before: so no loop of links has an end."""
        full = os.path.join(self.root, folder)  # noqa: PTH118 - pathlib costs a third of the whole walk
        info = os.stat(full)  # noqa: PTH116
        if (info.st_dev, info.st_ino) in self._seen:
            return []
        self._seen.add((info.st_dev, info.st_ino))
        with os.scandir(full) as entries:
            return sorted(entries, key=lambda entry: entry.name)

    def _take(self, folder: str, entries: list[os.DirEntry[str]]) -> None:
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name.startswith("."):
                continue
            try:
                self._take_one(path, entry)
            except OSError:
                self.found.unreadable.append(stored_path(path))

    def _take_one(self, path: str, entry: os.DirEntry[str]) -> None:
        if entry.is_dir():
            if self._is_wanted_folder(entry):
                (self._links if entry.is_symlink() else self._folders).append(path)
            return
        if not self._is_wanted_file(entry.name):
            return
        info = entry.stat()
        if stat.S_ISREG(info.st_mode):
            self.found.files.append(FoundFile(stored_path(path), info.st_size, info.st_mtime_ns))

    def _is_wanted_folder(self, entry: os.DirEntry[str]) -> bool:
        name = entry.name.casefold()
        if name in _SYSTEM_FOLDERS or (self.skip and os.path.realpath(entry.path) in self.skip):
            return False
        if self.is_music:
            return True
        return name not in _EXTRAS_FOLDERS and not (self.is_anime and name in _ANIME_EXTRAS_FOLDERS)

    def _is_wanted_file(self, name: str) -> bool:
        stem, _, extension = name.rpartition(".")
        extension = extension.lower()
        if self.is_music:
            return bool(stem) and (extension in AUDIO or extension in PLAYLISTS)
        if not stem or extension not in VIDEO or _EXTRAS_FILE.search(stem):
            return False
        return not (self.is_anime and _ANIME_EXTRAS_FILE.search(stem))

"""Find the media files below a root: no loop of links, no file that is not media, no error that stops it."""

from __future__ import annotations

import os
import re
import stat
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace

from vabhub.collectors.library.folders import READ_AGAIN, Folder, Memory

VIDEO = frozenset(
    (  # noqa: SIM905 - a row of words is easier to read than a column
        "3gp asf avi divx f4v flv iso m2ts m4v mkv mov mp4 mpeg mpg mts ogm ogv rm rmvb strm ts vob webm wmv"
    ).split()
)
AUDIO = frozenset(
    "aac aif aiff alac ape dff dsf flac m4a mka mp3 mpc oga ogg opus tak tta wav wma wv".split()  # noqa: SIM905
)
PLAYLISTS = frozenset({"m3u", "m3u8", "pls"})

# In this order: the first that a folder has is its poster.
POSTERS = tuple(
    f"{stem}.{ending}" for stem in ("poster", "folder", "cover") for ending in ("jpg", "jpeg", "png", "webp")
)
# A folder or file that was changed this lately may be changed again within the same tick of its clock.
_UNSETTLED_NS = 60 * 10**9
_NEVER_SETTLED_NS = 2**63 - 1

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
    """What a walk saw, paths in stored form.

    `files` are those of the folders that were read; `kept` are the folders that have not changed;
    `unreadable` are folders and files that could not be looked at.
    """

    files: list[FoundFile] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    folders: dict[str, Folder] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)


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
    root: str,
    kind: str,
    *,
    skip: Collection[str] = (),
    memory: Memory | None = None,
    on_folder: Callable[[int], None] = lambda _: None,
) -> Found:
    """Return the media files below `root` that fit its kind.

    Raises OSError when the root itself cannot be listed. `skip` are folders (real paths) that are roots
    of their own; a folder whose mtime is as `memory` has it is not read again; `on_folder` hears the
    number of files found so far after each folder.
    """
    walker = _Walker(root, kind, frozenset(skip), memory or Memory())
    walker.run(on_folder)
    return walker.found


class _Walker:
    def __init__(self, root: str, kind: str, skip: frozenset[str], memory: Memory) -> None:
        self.root = root
        self.is_music = kind == "music"
        self.is_anime = kind == "anime"
        self.skip = skip
        self.memory = memory
        self.found = Found()
        self._settled_before_ns = time.time_ns() - _UNSETTLED_NS
        self._devices: dict[str | None, int] = {None: os.stat(os.path.join(root, os.pardir)).st_dev}  # noqa: PTH116, PTH118
        self._seen: set[tuple[int, int]] = set()
        # Links wait until every real folder is done: a folder that is reached both ways keeps its own path.
        self._folders: deque[str] = deque()
        self._links: deque[str] = deque()

    def run(self, on_folder: Callable[[int], None]) -> None:
        self._visit("", None, is_link=False)
        while self._folders or self._links:
            is_link = not self._folders
            folder = (self._links if is_link else self._folders).popleft()
            try:
                self._visit(folder, folder.rpartition("/")[0], is_link=is_link)
            except OSError:
                self.found.unreadable.append(stored_path(folder))
            on_folder(len(self.found.files))

    def _visit(self, folder: str, parent: str | None, *, is_link: bool) -> None:
        """Take a folder's entries, unless it was visited before (no loop of links has an end) or is kept."""
        full = os.path.join(self.root, folder)  # noqa: PTH118 - pathlib costs a third of the whole walk
        stored = stored_path(folder)
        stored_parent = None if parent is None else stored_path(parent)
        known = self.memory.folders.get(stored)
        # Before it can fail: what cannot be read has to be looked at again, though its parent is the same.
        self._remember(Folder(stored, stored_parent, READ_AGAIN, is_link, bool(known and known.is_mount)))
        info = os.stat(full)  # noqa: PTH116
        if (info.st_dev, info.st_ino) in self._seen:
            return
        self._seen.add((info.st_dev, info.st_ino))
        self._devices[folder] = info.st_dev
        is_mount = not is_link and info.st_dev != self._devices.get(parent, info.st_dev)
        if known and known.mtime_ns == info.st_mtime_ns and known.is_mount == is_mount:
            self._keep(known, is_link=is_link)
            return
        with os.scandir(full) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        if known and known.is_mount and not is_mount and not entries:
            raise OSError("nothing is mounted here any more")
        newest_ns = self._take(folder, entries, info.st_mtime_ns)
        mtime_ns = info.st_mtime_ns if newest_ns < self._settled_before_ns else READ_AGAIN
        self._remember(Folder(stored, stored_parent, mtime_ns, is_link, is_mount, _poster(entries)))

    def _remember(self, folder: Folder) -> None:
        self.found.folders[folder.path] = folder

    def _keep(self, known: Folder, *, is_link: bool) -> None:
        self.found.kept.add(known.path)
        self._remember(replace(known, is_link=is_link))
        for child in self.memory.children.get(known.path, ()):
            path = disk_path(child.path)
            if not self._is_other_root(os.path.join(self.root, path)):  # noqa: PTH118
                (self._links if child.is_link else self._folders).append(path)

    def _take(self, folder: str, entries: list[os.DirEntry[str]], newest_ns: int) -> int:
        """Take what is wanted; return the latest change, in the future when a file could not be read."""
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name.startswith("."):
                continue
            try:
                newest_ns = max(newest_ns, self._take_one(path, entry))
            except OSError:
                self.found.unreadable.append(stored_path(path))
                newest_ns = _NEVER_SETTLED_NS
        return newest_ns

    def _take_one(self, path: str, entry: os.DirEntry[str]) -> int:
        if entry.is_dir():
            if self._is_wanted_folder(entry):
                (self._links if entry.is_symlink() else self._folders).append(path)
            return 0
        if not self._is_wanted_file(entry.name):
            return 0
        info = entry.stat()
        if stat.S_ISREG(info.st_mode):
            self.found.files.append(FoundFile(stored_path(path), info.st_size, info.st_mtime_ns))
        return info.st_mtime_ns

    def _is_other_root(self, path: str) -> bool:
        return bool(self.skip) and os.path.realpath(path) in self.skip

    def _is_wanted_folder(self, entry: os.DirEntry[str]) -> bool:
        name = entry.name.casefold()
        if name in _SYSTEM_FOLDERS or self._is_other_root(entry.path):
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


def _poster(entries: Iterable[os.DirEntry[str]]) -> str | None:
    pictures = {name: entry.name for entry in entries if (name := entry.name.casefold()) in POSTERS}
    return next((stored_path(pictures[name]) for name in POSTERS if name in pictures), None)

"""Hear from the kernel (inotify) that a folder of the library has changed, and queue a scan of its root.

Only a hint that comes sooner: the periodic scans go on. Network shares tell nothing of what others change.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from inotify_simple import INotify, flags
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from vabhub.collectors.library.folders import READ_AGAIN
from vabhub.collectors.library.scans import request_scan
from vabhub.collectors.library.walk import disk_path
from vabhub.db import reading, transaction
from vabhub.log import get_logger
from vabhub.models import LibraryFolder, LibraryRoot

log = get_logger(__name__)

# A copy of many files is one scan: it begins when it has been quiet for so long, or has gone on for longer.
QUIET_S = 10.0
AT_MOST_S = 300.0
_MASK = (
    flags.CREATE
    | flags.DELETE
    | flags.MOVED_FROM
    | flags.MOVED_TO
    | flags.CLOSE_WRITE
    | flags.ONLYDIR
    | flags.EXCL_UNLINK
)


@dataclass(slots=True)
class _Dirty:
    since: float
    last: float
    folders: set[str] = field(default_factory=set)


class Changes:
    """The watches of one scheduler, at most `most`; `see` is called every few seconds and never waits."""

    def __init__(self, most: int, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._monotonic = monotonic
        self._inotify: INotify | None = None
        self._watched: dict[tuple[int, str], int] = {}
        self._of: dict[int, tuple[int, str]] = {}
        self._scanned: dict[int, datetime | None] = {}
        self._dirty: dict[int, _Dirty] = {}

    def see(self) -> int:
        """Follow the roots, take what the kernel tells, and return how many scans were queued."""
        with reading() as session:
            roots = session.execute(select(LibraryRoot.id, LibraryRoot.scanned_at).where(LibraryRoot.enabled))
            now = {row.id: row.scanned_at for row in roots}
        if now != self._scanned:
            self._follow(now)
        self._listen()
        return self._queue_due()

    def close(self) -> None:
        """Give all watches back."""
        if self._inotify is not None:
            self._inotify.close()
        self._inotify = None
        self._watched, self._of, self._scanned = {}, {}, {}

    def _follow(self, roots: dict[int, datetime | None]) -> None:
        """Watch the folders that the last scans have found, those near the root first."""
        wanted = _folders(roots)
        for key in self._watched.keys() - wanted.keys():
            self._forget(key)
        reasons: dict[int, str] = {}
        for key in sorted(wanted.keys() - self._watched.keys(), key=lambda key: key[1].count("/")):
            reason = self._watch(key, wanted[key])
            if reason:
                reasons.setdefault(key[0], reason)
        self._scanned = roots
        for root_id in roots:
            of_root = [key for key in wanted if key[0] == root_id]
            watched = sum(key in self._watched for key in of_root)
            _write(root_id, {"folders": len(of_root), "watched": watched, "reason": reasons.get(root_id)})

    def _watch(self, key: tuple[int, str], path: str) -> str | None:
        """Return why a folder cannot be watched; None when it is, or is gone."""
        if len(self._watched) >= self._most:
            return "limit"
        try:
            self._inotify = self._inotify or INotify(nonblocking=True)
            number = self._inotify.add_watch(path, _MASK)
        except AttributeError:  # a system without inotify
            return "unsupported"
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EMFILE):
                return "system_limit"
            return None if error.errno in (errno.ENOENT, errno.ENOTDIR) else "unreadable"
        # A folder that is reached by two ways has one watch: the first way keeps it.
        if number not in self._of:
            self._of[number] = key
        self._watched[key] = number
        return None

    def _forget(self, key: tuple[int, str]) -> None:
        number = self._watched.pop(key)
        if self._of.get(number) != key or self._inotify is None:
            return
        del self._of[number]
        try:
            self._inotify.rm_watch(number)
        except OSError:
            log.debug("library.watch_gone", root_id=key[0])  # the kernel drops those of deleted folders

    def _listen(self) -> None:
        if self._inotify is None:
            return
        at = self._monotonic()
        for event in self._inotify.read(timeout=0):
            if event.mask & flags.Q_OVERFLOW:
                for root_id in self._scanned:
                    self._note(root_id, None, at)
            elif event.mask & flags.IGNORED:
                key = self._of.pop(event.wd, None)
                if key is not None:
                    self._watched.pop(key, None)
            elif event.wd in self._of:
                self._note(*self._of[event.wd], at)

    def _note(self, root_id: int, folder: str | None, at: float) -> None:
        dirty = self._dirty.setdefault(root_id, _Dirty(at, at))
        dirty.last = at
        if folder is not None:
            dirty.folders.add(folder)

    def _queue_due(self) -> int:
        at = self._monotonic()
        due = [
            root_id
            for root_id, dirty in self._dirty.items()
            if at - dirty.last >= QUIET_S or at - dirty.since >= AT_MOST_S
        ]
        due = [root_id for root_id in due if root_id in self._scanned]
        for root_id in due:
            with transaction() as session:
                _read_again(session, root_id, self._dirty[root_id].folders)
                request_scan(session, root_id)
            del self._dirty[root_id]
        return len(due)


def _folders(roots: dict[int, datetime | None]) -> dict[tuple[int, str], str]:
    with reading() as session:
        rows = session.execute(
            select(LibraryFolder.root_id, LibraryFolder.path, LibraryRoot.path.label("root"))
            .join(LibraryRoot, LibraryRoot.id == LibraryFolder.root_id)
            .where(LibraryFolder.root_id.in_(roots))
        )
        return {(row.root_id, row.path): f"{disk_path(row.root)}/{disk_path(row.path)}" for row in rows}


def _read_again(session: Session, root_id: int, folders: set[str]) -> None:
    """Distrust the folders: a file that was rewritten in place has left their mtime as it was."""
    paths = sorted(folders)
    for start in range(0, len(paths), 500):
        some = LibraryFolder.path.in_(paths[start : start + 500])
        session.execute(
            update(LibraryFolder).where(LibraryFolder.root_id == root_id, some).values(mtime_ns=READ_AGAIN)
        )


def _write(root_id: int, watch: dict[str, object]) -> None:
    with transaction() as session:
        root = session.get(LibraryRoot, root_id)
        if root is not None and root.watch != watch:
            root.watch = watch

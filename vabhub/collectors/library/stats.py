"""Count the library: the snapshots `media` and `music`, from the rows that the scans keep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from vabhub.clock import isoformat, utcnow
from vabhub.collectors.base import Snapshot, SnapshotStatus, Source
from vabhub.collectors.library.growth import growth
from vabhub.collectors.library.names import FileKind
from vabhub.collectors.library.overrides import overrides_mark
from vabhub.collectors.library.posters import poster_folder
from vabhub.collectors.library.rules.text import UNKNOWN_QUALITY
from vabhub.models import LibraryFile, LibraryRoot

_GIB = 1024**3
_RECENT = 10
_QUALITIES = ("2160p", "1080p", "720p", "480p", UNKNOWN_QUALITY)

_MEDIA_FIELDS = (
    "total_movies",
    "total_tv_shows",
    "total_anime",
    "total_episodes",
    "total_size_gb",
    "by_quality",
    "unparsed",
    "growth",
)
_MUSIC_FIELDS = ("total_tracks", "total_albums", "total_artists", "total_playlists", "total_size_gb")


def media_stats(session: Session) -> Snapshot:
    """Return the snapshot `media`: films, series, anime and their episodes.

    Distinct films (title and year), shows and episodes are counted, not files; sizes are GiB of all files.
    A root that is gone adds its last counts and makes the snapshot stale. Every number is null until a
    root was scanned.
    """
    roots = _roots(session, ("movies", "tv", "anime"))
    counts = _counts_of(session, Source.MEDIA, roots, _media_numbers)
    extra = {"by_root": _by_root(roots, counts.files), "recently_added": counts.recent}
    return _snapshot(Source.MEDIA, roots, counts.numbers, extra)


def music_stats(session: Session) -> Snapshot:
    """Return the snapshot `music`; artists and albums are those of the tags, else of the folders."""
    roots = _roots(session, ("music",))
    counts = _counts_of(session, Source.MUSIC, roots, _music_numbers)
    return _snapshot(Source.MUSIC, roots, counts.numbers, {"by_root": _by_root(roots, counts.files)})


@dataclass(frozen=True, slots=True)
class _Counts:
    """What the rows say: the numbers, the newest files, and (files, bytes) of each root."""

    numbers: dict[str, Any] | None
    recent: list[dict[str, Any]]
    files: dict[int, tuple[int, int]]


# The last counts by source. Rows change in scans and by corrections, so they hold until the next of these.
_last: dict[Source, tuple[Hashable, _Counts]] = {}


def _counts_of(
    session: Session,
    source: Source,
    roots: Sequence[LibraryRoot],
    count: Callable[[Session, list[int]], dict[str, Any]],
) -> _Counts:
    key = (
        session.get_bind().engine.url,
        overrides_mark(session),
        *((root.id, root.kind, root.scanned_at) for root in roots),
    )
    known = _last.get(source)
    if known is None or known[0] != key:
        # Only roots whose rows are whole: half a first scan would look like a small library.
        scanned = [root.id for root in roots if root.scanned_at is not None]
        numbers = count(session, scanned) if scanned else None
        known = (key, _Counts(numbers, _recent(session, scanned), _files(session, scanned)))
        _last[source] = known
    return deepcopy(known[1])


def _snapshot(
    source: Source, roots: Sequence[LibraryRoot], numbers: dict[str, Any] | None, extra: dict[str, Any]
) -> Snapshot:
    unknown = dict.fromkeys(_MEDIA_FIELDS if source is Source.MEDIA else _MUSIC_FIELDS)
    data = {**unknown, **(numbers or {}), **extra}
    if not roots:
        return Snapshot(source, utcnow(), SnapshotStatus.UNCONFIGURED, data=data)
    gone = [root for root in roots if root.stale_reason]
    if gone:
        since = min((root.scanned_at for root in gone if root.scanned_at), default=utcnow())
        status = SnapshotStatus.STALE if numbers else SnapshotStatus.ERROR
        return Snapshot(source, since, status, "ROOT_GONE", gone[0].stale_reason, data)
    waiting = [root.path for root in roots if root.scanned_at is None]
    if waiting:
        text = f"Not counted yet: {', '.join(waiting)}."
        return Snapshot(source, utcnow(), SnapshotStatus.STALE, "NOT_SCANNED", text, data)
    return Snapshot(source, utcnow(), SnapshotStatus.OK, data=data)


def _roots(session: Session, kinds: Collection[str]) -> Sequence[LibraryRoot]:
    wanted = select(LibraryRoot).where(LibraryRoot.enabled, LibraryRoot.kind.in_(kinds))
    return session.scalars(wanted.order_by(LibraryRoot.id)).all()


def _media_numbers(session: Session, roots: list[int]) -> dict[str, Any]:
    columns = (LibraryFile.kind, LibraryFile.title, LibraryFile.year, LibraryFile.season, LibraryFile.episode)
    rows = session.execute(
        select(*columns, LibraryFile.detail)
        .where(LibraryFile.root_id.in_(roots), LibraryFile.kind != FileKind.UNPARSED.value)
        .order_by(LibraryFile.path)
    )
    seen: dict[str, set[tuple[Any, ...]]] = {kind.value: set() for kind in FileKind}
    episodes: set[tuple[Any, ...]] = set()
    for kind, title, year, season, episode, detail in rows:
        name = (title or "").casefold()
        seen[kind].add((name, year) if kind == FileKind.MOVIE else (name,))
        episodes.update(_episodes(kind, name, season, episode, detail))
    return {
        "total_movies": len(seen[FileKind.MOVIE]),
        "total_tv_shows": len(seen[FileKind.EPISODE]),
        "total_anime": len(seen[FileKind.ANIME]),
        "total_episodes": len(episodes),
        "total_size_gb": _size_gb(session, roots),
        "by_quality": _by_quality(session, roots),
        "unparsed": _count(session, roots, FileKind.UNPARSED),
        "growth": growth(session, roots),
    }


def _episodes(
    kind: str, title: str, season: int | None, episode: int | None, detail: dict[str, Any] | None
) -> Iterable[tuple[Any, ...]]:
    """Return the episodes in one file: several for `S01E01-E02`, none for an anime film."""
    date = (detail or {}).get("date")
    if date is not None:
        return [(kind, title, date)]
    if kind == FileKind.MOVIE or episode is None:
        return []
    last = (detail or {}).get("last_episode") or episode
    return [(kind, title, season, number) for number in range(episode, min(last, episode + 50) + 1)]


def _music_numbers(session: Session, roots: list[int]) -> dict[str, Any]:
    rows = session.execute(
        select(LibraryFile.artist, LibraryFile.album)
        .where(LibraryFile.root_id.in_(roots), LibraryFile.kind == FileKind.TRACK.value)
        .distinct()
    )
    pairs = {((artist or "").casefold(), (album or "").casefold()) for artist, album in rows}
    return {
        "total_tracks": _count(session, roots, FileKind.TRACK),
        "total_albums": len({pair for pair in pairs if pair[1]}),
        "total_artists": len({artist for artist, _ in pairs if artist}),
        "total_playlists": _count(session, roots, FileKind.PLAYLIST),
        "total_size_gb": _size_gb(session, roots),
    }


def _count(session: Session, roots: list[int], kind: FileKind) -> int:
    wanted = (LibraryFile.root_id.in_(roots), LibraryFile.kind == kind.value)
    return session.scalar(select(func.count()).select_from(LibraryFile).where(*wanted)) or 0


def _size_gb(session: Session, roots: list[int]) -> float:
    total = session.scalar(select(func.sum(LibraryFile.size_bytes)).where(LibraryFile.root_id.in_(roots)))
    return _gib(total)


def _by_quality(session: Session, roots: list[int]) -> dict[str, int]:
    rows = session.execute(
        select(LibraryFile.quality, func.count())
        .where(LibraryFile.root_id.in_(roots))
        .group_by(LibraryFile.quality)
    )
    counts = Counter({quality or UNKNOWN_QUALITY: number for quality, number in rows})
    return {quality: counts[quality] for quality in _QUALITIES if counts[quality]}


def _files(session: Session, roots: list[int]) -> dict[int, tuple[int, int]]:
    rows = session.execute(
        select(LibraryFile.root_id, func.count(), func.sum(LibraryFile.size_bytes))
        .where(LibraryFile.root_id.in_(roots))
        .group_by(LibraryFile.root_id)
    )
    # PostgreSQL sums big integers to a Decimal.
    return {root_id: (files, int(size)) for root_id, files, size in rows}


def _by_root(roots: Sequence[LibraryRoot], files: dict[int, tuple[int, int]]) -> list[dict[str, Any]]:
    return [_root_view(root, *files.get(root.id, (0, 0))) for root in roots]


def _root_view(root: LibraryRoot, files: int, size_bytes: int) -> dict[str, Any]:
    known = root.scanned_at is not None
    return {
        "id": root.id,
        "root": root.path,
        "kind": root.kind,
        "files": files if known else None,
        "size_gb": _gib(size_bytes) if known else None,
        "scanned_at": isoformat(root.scanned_at) if root.scanned_at else None,
        "status": "stale" if root.stale_reason else "ok" if known else "pending",
        "error": root.stale_reason,
    }


def _recent(session: Session, roots: list[int]) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(LibraryFile)
        .where(LibraryFile.root_id.in_(roots), LibraryFile.kind != FileKind.UNPARSED.value)
        .order_by(LibraryFile.added_at.desc(), LibraryFile.id.desc())
        .limit(_RECENT)
    ).all()
    return [_recent_view(row, has_poster=poster_folder(session, row) is not None) for row in rows]


def _recent_view(row: LibraryFile, *, has_poster: bool) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "kind": row.kind,
        "year": row.year,
        "season": row.season,
        "episode": row.episode,
        "quality": row.quality,
        "size_bytes": row.size_bytes,
        "added_at": isoformat(row.added_at),
        "poster": f"/api/library/files/{row.id}/poster" if has_poster else None,
    }


def _gib(size_bytes: Any) -> float:
    # PostgreSQL sums big integers to a Decimal.
    return round(int(size_bytes or 0) / _GIB, 3)

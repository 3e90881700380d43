"""The media library: its roots, what was found in them, and the scans."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from vabhub.models.base import Base, BigId, UtcDateTime


class LibraryRoot(Base):
    """A folder of media. When it vanishes its counts stay and it is marked stale."""

    __tablename__ = "library_root"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(String(16))  # movies, tv, anime, music
    enabled: Mapped[bool] = mapped_column(default=True)
    stale_reason: Mapped[str | None] = mapped_column(Text)
    scanned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    full_scan_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when every file was last looked at
    rules: Mapped[int] = mapped_column(default=1, server_default="1")  # which names.RULES read its names
    watch: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # see changes.py
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LibraryFile(Base):
    """One file and what its name says; kept while path, size and mtime stay as they are."""

    __tablename__ = "library_file"
    __table_args__ = (
        UniqueConstraint("root_id", "path"),
        Index("ix_library_file_added_at", "added_at"),
        Index("ix_library_file_kind", "kind", "root_id", "path"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    root_id: Mapped[int] = mapped_column(ForeignKey("library_root.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(Text)  # relative to the root; bytes that are not UTF-8 are escaped
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(16))  # movie, episode, anime, track, playlist, unparsed
    title: Mapped[str | None] = mapped_column(Text)
    year: Mapped[int | None]
    season: Mapped[int | None]
    episode: Mapped[int | None]
    quality: Mapped[str | None] = mapped_column(String(16))
    artist: Mapped[str | None] = mapped_column(Text)
    album: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_scan_id: Mapped[int | None] = mapped_column(BigInteger)


class LibraryScan(Base):
    """One walk over a root, with its progress."""

    __tablename__ = "library_scan"
    __table_args__ = (Index("ix_library_scan_root_id", "root_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    root_id: Mapped[int] = mapped_column(ForeignKey("library_root.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(16))  # queued, running, done, failed, cancelled
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    parsed: Mapped[int] = mapped_column(default=0)  # names that had to be read anew
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    removed: Mapped[int] = mapped_column(default=0)
    unreadable: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    full: Mapped[bool] = mapped_column(default=False, server_default=false())  # trusts no folder's mtime
    accept_missing: Mapped[bool] = mapped_column(default=False, server_default=false())
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LibraryFolder(Base):
    """A folder as a scan left it: one whose mtime is the same holds the same names."""

    __tablename__ = "library_folder"
    __table_args__ = (UniqueConstraint("root_id", "path"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    root_id: Mapped[int] = mapped_column(ForeignKey("library_root.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(Text)  # relative to the root, which is ""
    parent: Mapped[str | None] = mapped_column(Text)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)  # -1: to be read again
    is_link: Mapped[bool]
    is_mount: Mapped[bool]
    poster: Mapped[str | None] = mapped_column(Text)  # the picture's name in the folder


class LibraryOverride(Base):
    """What a person said a file is; stronger than its name, and kept when the file goes and comes back."""

    __tablename__ = "library_override"

    root_id: Mapped[int] = mapped_column(ForeignKey("library_root.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LibraryDay(Base):
    """The size of a root at the end of a day's last scan."""

    __tablename__ = "library_day"

    root_id: Mapped[int] = mapped_column(ForeignKey("library_root.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)  # UTC
    files: Mapped[int]
    size_bytes: Mapped[int] = mapped_column(BigInteger)

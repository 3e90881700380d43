"""History of numbers: the series, one point a series, tier and time, and how far each tier is filled."""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from vabhub.models.base import Base


class MetricSeries(Base):
    """A number that is followed: one of the whole (`cpu_usage`) or of a part (`disk_free_bytes:/data`)."""

    __tablename__ = "metric_series"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    last_at: Mapped[int] = mapped_column(BigInteger)  # to the hour; seconds since 1970, UTC


class MetricPoint(Base):
    """What a series was in the `tier_s` seconds from `at` on. No row means not known, never zero.

    All series of a moment lie side by side, so that a batch of them writes few pages.
    """

    __tablename__ = "metric_point"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    tier_s: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger, primary_key=True)  # seconds since 1970, UTC
    # No foreign key: it would look each of some ten points a second up.
    series_id: Mapped[int] = mapped_column(primary_key=True)
    min: Mapped[float]
    avg: Mapped[float]
    max: Mapped[float]
    n: Mapped[int]  # samples behind the point


class MetricTier(Base):
    """How far a tier is filled from the finer one, and until when its own points are deleted."""

    __tablename__ = "metric_tier"

    tier_s: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rolled_until: Mapped[int] = mapped_column(BigInteger)  # seconds since 1970, UTC
    pruned_until: Mapped[int] = mapped_column(BigInteger)

"""History of numbers: one point a series, tier and time."""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from vabhub.models.base import Base


class MetricPoint(Base):
    """What a series was in the `tier_s` seconds from `at` on. No row means not known, never zero."""

    __tablename__ = "metric_point"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    series: Mapped[str] = mapped_column(String(100), primary_key=True)
    tier_s: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger, primary_key=True)  # seconds since 1970, UTC
    min: Mapped[float]
    avg: Mapped[float]
    max: Mapped[float]
    n: Mapped[int]  # samples behind the point

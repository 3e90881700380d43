"""The cache's third tier: values that outlive a restart of everything else."""

from __future__ import annotations

from sqlalchemy import BigInteger, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from vabhub.models.base import Base


class CacheRow(Base):
    """One cached value. Losing a row costs the time to build it anew, nothing else."""

    __tablename__ = "cache_entry"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    prefix: Mapped[str] = mapped_column(String(255), index=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)
    built_at: Mapped[int] = mapped_column(BigInteger)  # microseconds since 1970
    # The number of the last invalidation when it was stored: an invalidation since then has a higher one.
    sequence: Mapped[int] = mapped_column(BigInteger)
    kept_until: Mapped[int] = mapped_column(BigInteger, index=True)  # milliseconds since 1970

"""What Prometheus reads about HTTP; routes by their pattern, so that no caller can make up new series."""

from __future__ import annotations

from functools import lru_cache

from prometheus_client import REGISTRY, Counter, Histogram

from vabhub.cache.metrics import CacheMetrics
from vabhub.notify.metrics import DeliveryMetrics

_KNOWN = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

requests_total = Counter("vabhub_http_requests", "HTTP requests answered", ["method", "route", "status"])
seconds = Histogram(
    "vabhub_http_request_seconds",
    "Time from the request to its answer",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


REGISTRY.register(DeliveryMetrics())
REGISTRY.register(CacheMetrics())


def observe(method: str, route: str, status: int, spent_s: float) -> None:
    """Count one answer and the time it took."""
    counter, histogram = _series(method if method in _KNOWN else "other", route, status)
    counter.inc()
    histogram.observe(spent_s)


@lru_cache(maxsize=2048)
def _series(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    # Looking a series up by its labels takes longer than counting.
    return requests_total.labels(method, route, str(status)), seconds.labels(method, route)

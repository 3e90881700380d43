"""What Prometheus reads about HTTP; routes by their pattern, so that no caller can make up new series."""

from __future__ import annotations

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
    method = method if method in _KNOWN else "other"
    requests_total.labels(method, route, str(status)).inc()
    seconds.labels(method, route).observe(spent_s)

"""What this web process did in the last minute, read from the counters that /metrics shows."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from typing import Any

from prometheus_client import Counter as Metric

from web import hub_metrics, metrics

WINDOW_S = 60.0

Route = tuple[str, str]
_EMPTY: dict[str, float] = {}


class Performance:
    """Takes samples of the counters, and says what came between the oldest within a minute and the newest."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, _Sample]] = deque([(time.monotonic(), _Sample())])

    def window(self) -> dict[str, Any]:
        """Take a sample and return the change, as `vabhub.collectors.performance.report` wants it."""
        now, newest = time.monotonic(), _Sample()
        self._samples.append((now, newest))
        while len(self._samples) > 2 and now - self._samples[1][0] >= WINDOW_S:
            self._samples.popleft()
        began, oldest = self._samples[0]
        return {"window_s": round(now - began, 3), **newest.since(oldest)}


class _Sample:
    def __init__(self) -> None:
        self.buckets = _by_route(metrics.seconds, "_bucket", "le")
        self.statuses = _by_route(metrics.requests_total, "_total", "status")
        self.pushes, self.received, self.slow = (
            _total(one) for one in (hub_metrics.PUSHES, hub_metrics.RECEIVED, hub_metrics.SLOW)
        )

    def since(self, before: _Sample) -> dict[str, Any]:
        routes = [self._route(route, before) for route in self.statuses]
        return {
            "routes": [one for one in routes if one["requests"]],
            "sockets": int(hub_metrics.SOCKETS._value.get()),
            "pushes": self.pushes - before.pushes,
            "received": self.received - before.received,
            "slow_clients": self.slow - before.slow,
        }

    def _route(self, route: Route, before: _Sample) -> dict[str, Any]:
        statuses = _change(self.statuses[route], before.statuses.get(route, _EMPTY))
        return {
            "method": route[0],
            "route": route[1],
            "requests": sum(statuses.values()),
            "errors": sum(number for status, number in statuses.items() if status >= "500"),
            "refused": sum(number for status, number in statuses.items() if "400" <= status < "500"),
            "buckets": _change(self.buckets.get(route, _EMPTY), before.buckets.get(route, _EMPTY)),
        }


def _by_route(metric: Any, suffix: str, label: str) -> dict[Route, dict[str, float]]:
    found: defaultdict[Route, dict[str, float]] = defaultdict(dict)
    for sample in next(iter(metric.collect())).samples:
        if sample.name.endswith(suffix):
            labels = sample.labels
            found[labels["method"], labels["route"]][labels[label]] = sample.value
    return dict(found)


def _change(now: dict[str, float], before: dict[str, float]) -> dict[str, int]:
    return {label: int(value - before.get(label, 0)) for label, value in now.items()}


def _total(metric: Metric) -> int:
    samples = next(iter(metric.collect())).samples
    return int(sum(sample.value for sample in samples if sample.name.endswith("_total")))

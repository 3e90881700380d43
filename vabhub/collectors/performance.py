"""How the web processes do: each says what it counted in the last minute, the leader adds it up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from vabhub.clock import utcnow
from vabhub.collectors.base import Snapshot, SnapshotStatus, Source
from vabhub.redis_client import PREFIX, get_redis

INTERVAL_S = 10.0
_KEEP_S = 15
_MOST_ROUTES = 50
_COUNTS = ("requests", "errors", "refused")
_SHARES = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}

Buckets = Mapping[str, int]


def report(process: str, window: Mapping[str, Any]) -> None:
    """Keep what a web process counted since `window_s` seconds, for 15 s. Raises redis.RedisError.

    `routes`: a list of method, route, requests, errors (5xx), refused (4xx) and `buckets`, the requests that
    took at most so many seconds, by upper bound. `sockets`, `pushes`, `received`, `slow_clients`: numbers.
    """
    get_redis().set(_key(process), json.dumps(window), ex=_KEEP_S)


def collect() -> Snapshot:
    """Return the snapshot `api_performance` of all web processes together. Raises redis.RedisError."""
    redis = get_redis()
    keys = list(redis.scan_iter(match=_key("*"), count=1000))
    windows = [json.loads(raw) for raw in (redis.mget(keys) if keys else []) if raw is not None]
    if not windows:
        return Snapshot(
            Source.API_PERFORMANCE,
            utcnow(),
            SnapshotStatus.ERROR,
            error_code="UNAVAILABLE",
            error="No web process has reported yet.",
        )
    return Snapshot(Source.API_PERFORMANCE, utcnow(), data=summary(windows))


def summary(windows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Add the windows of several processes up. Rates are per second; a time that nobody measured is None."""
    routes = _by_route(windows)
    busiest = sorted(routes, key=lambda one: (-one["requests"], one["route"]))[:_MOST_ROUTES]
    return {
        "window_s": max(window["window_s"] for window in windows),
        "processes": len(windows),
        "requests_per_s": _rate(windows, lambda w: sum(one["requests"] for one in w["routes"])),
        "errors": sum(one["errors"] for one in routes),
        "refused": sum(one["refused"] for one in routes),
        **_times(sum((Counter(one["buckets"]) for one in routes), Counter())),
        "sockets": sum(window["sockets"] for window in windows),
        "messages_per_s": _rate(windows, lambda w: w["pushes"]),
        "received_per_s": _rate(windows, lambda w: w["received"]),
        "slow_clients": sum(window["slow_clients"] for window in windows),
        "routes": [_shown(one, windows) for one in busiest],
    }


def quantile_s(buckets: Buckets, share: float) -> float | None:
    """Return the time that this share of requests did not exceed, as Prometheus' histogram_quantile does.

    `buckets` are cumulative, by upper bound in seconds. Above the last finite bound that bound is returned.
    """
    bounds = sorted((float(bound), count) for bound, count in buckets.items())
    total = bounds[-1][1] if bounds else 0
    if not total:
        return None
    below_s, below = 0.0, 0
    for bound_s, count in bounds:
        if count >= share * total:
            if bound_s == float("inf"):
                return below_s
            return below_s + (bound_s - below_s) * (share * total - below) / max(1, count - below)
        below_s, below = bound_s, count
    return below_s


def _by_route(windows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    merged: dict[tuple[str, str], dict[str, Any]] = {}
    for one in (one for window in windows for one in window["routes"]):
        key = (one["method"], one["route"])
        sums = merged.setdefault(
            key,
            {
                "method": key[0],
                "route": key[1],
                "requests": 0,
                "errors": 0,
                "refused": 0,
                "buckets": Counter(),
            },
        )
        for name in _COUNTS:
            sums[name] += one[name]
        sums["buckets"].update(one["buckets"])
    return list(merged.values())


def _shown(one: Mapping[str, Any], windows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    window_s = max(window["window_s"] for window in windows)
    rate = round(one["requests"] / window_s, 3) if window_s else None
    plain = {name: value for name, value in one.items() if name != "buckets"}
    return {**plain, "requests_per_s": rate, **_times(one["buckets"])}


def _times(buckets: Buckets) -> dict[str, float | None]:
    found = {name: quantile_s(buckets, share) for name, share in _SHARES.items()}
    return {name: None if value is None else round(value * 1000, 1) for name, value in found.items()}


def _rate(windows: Sequence[Mapping[str, Any]], count: Any) -> float | None:
    rates = [count(window) / window["window_s"] for window in windows if window["window_s"]]
    return round(sum(rates), 3) if rates else None


def _key(process: str) -> str:
    return f"{PREFIX}performance:{process}"

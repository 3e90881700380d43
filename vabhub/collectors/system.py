"""The machine's numbers: CPU, memory, disks, network, temperatures, and our own process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import psutil

from vabhub.clock import utcnow
from vabhub.collectors.base import Snapshot, Source
from vabhub.collectors.disks import DiskReader
from vabhub.collectors.gpus import GpuReader
from vabhub.collectors.rates import CpuSampler, RateSampler, is_virtual

T = TypeVar("T")
GIB = 1024**3
# Disks, sensors and link states move slowly and cost the most to read.
_SLOW_EVERY_S = 10.0


class SystemCollector:
    """Reads the machine through psutil; what the platform does not tell is None."""

    source = Source.SYSTEM

    def __init__(self, interval_s: float = 2.0, disks: DiskReader | None = None) -> None:
        self.interval_s = interval_s
        self._cpu = CpuSampler()
        self._network = RateSampler()
        self._disks = disks or DiskReader()
        self._gpus = GpuReader()
        self._process = psutil.Process()
        self._slow: dict[str, Any] = {}
        self._slow_at: float | None = None

    def collect(self) -> Snapshot:
        """Take one sample; rates and percentages cover the time since the sample before."""
        self._refresh_slow()
        data = self._cpu_fields() | _memory_fields() | _root_disk_fields()
        data |= self._network_fields()
        data |= {key: value for key, value in self._slow.items() if not key.startswith("_")}
        data |= {"uptime_s": _or_none(lambda: int(time.time() - psutil.boot_time()))}
        data |= {"process": _or_none(self._own_process)}
        return Snapshot(source=self.source, collected_at=utcnow(), data=data)

    def _refresh_slow(self) -> None:
        now = time.monotonic()
        if self._slow_at is not None and now - self._slow_at < _SLOW_EVERY_S:
            return
        self._slow_at = now
        self._slow = {
            "disks": _or_none(self._disks.read),
            "temperatures": _or_none(_temperatures),
            "gpus": _or_none(self._gpus.read),
            "_links": _or_none(psutil.net_if_stats) or {},
        }

    def _cpu_fields(self) -> dict[str, Any]:
        total, per_core = _or_none(self._cpu.sample) or (None, None)
        load = _or_none(lambda: [round(value, 2) for value in psutil.getloadavg()])
        return {"cpu_usage": total, "per_core": per_core, "cpu_count": psutil.cpu_count(), "load": load}

    def _network_fields(self) -> dict[str, Any]:
        counters = _or_none(lambda: psutil.net_io_counters(pernic=True))
        if not counters:
            return dict.fromkeys(_NETWORK)
        rates = self._network.sample({name: (c.bytes_sent, c.bytes_recv) for name, c in counters.items()})
        return {
            "network_sent": sum(c.bytes_sent for c in counters.values()),
            "network_recv": sum(c.bytes_recv for c in counters.values()),
            "network_sent_bps": _sum(rates[name][0] for name in counters if not is_virtual(name)),
            "network_recv_bps": _sum(rates[name][1] for name in counters if not is_virtual(name)),
            "interfaces": [self._interface(name, c, *rates[name]) for name, c in counters.items()],
        }

    def _interface(self, name: str, counter: Any, sent: int | None, recv: int | None) -> dict[str, Any]:
        link = self._slow["_links"].get(name)
        return {
            "name": name,
            "sent_bps": sent,
            "recv_bps": recv,
            "sent_bytes": counter.bytes_sent,
            "recv_bytes": counter.bytes_recv,
            "errors": counter.errin + counter.errout,
            "is_up": link.isup if link else None,
            "is_loopback": "loopback" in getattr(link, "flags", "").split(",") if link else name == "lo",
            "speed_mbit": (link.speed or None) if link else None,
        }

    def _own_process(self) -> dict[str, Any]:
        with self._process.oneshot():
            times = self._process.cpu_times()
            return {
                "pid": self._process.pid,
                "rss_bytes": self._process.memory_info().rss,
                "threads": self._process.num_threads(),
                "cpu_seconds": round(times.user + times.system, 2),
                "uptime_s": int(time.time() - self._process.create_time()),
            }


def _memory_fields() -> dict[str, Any]:
    memory, swap = _or_none(psutil.virtual_memory), _or_none(psutil.swap_memory)
    return {
        "memory_usage": memory.percent if memory else None,
        "memory_total_gb": _gib(memory.total) if memory else None,
        "memory_used_gb": _gib(memory.used) if memory else None,
        "swap": {
            "total_bytes": swap.total,
            "used_bytes": swap.used,
            "free_bytes": swap.free,
            "percent": swap.percent if swap.total else None,
        }
        if swap
        else None,
    }


def _root_disk_fields() -> dict[str, Any]:
    disk = _or_none(lambda: psutil.disk_usage("/"))
    return {
        "disk_usage": disk.percent if disk else None,
        "disk_total_gb": _gib(disk.total) if disk else None,
        "disk_used_gb": _gib(disk.used) if disk else None,
        "disk_free_gb": _gib(disk.free) if disk else None,
    }


def _temperatures() -> list[dict[str, Any]]:
    """Return every sensor in °C; sensors that report nothing sensible have null."""
    return [
        {
            "sensor": sensor,
            "label": entry.label or sensor,
            "celsius": entry.current,
            "high": entry.high,
            "critical": entry.critical,
        }
        for sensor, entries in psutil.sensors_temperatures().items()
        for entry in entries
    ]


_NETWORK = ("network_sent", "network_recv", "network_sent_bps", "network_recv_bps", "interfaces")


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _gib(size_bytes: int) -> float:
    return round(size_bytes / GIB, 2)


def _or_none(read: Callable[[], T]) -> T | None:
    """Return None for what this platform cannot tell (a container without /sys, macOS without sensors)."""
    try:
        return read()
    except (OSError, AttributeError, NotImplementedError, RuntimeError, psutil.Error):
        return None

"""The machine's numbers agree with psutil, and what is not known is null."""

from __future__ import annotations

import os
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.waiting import wait_until
from vabhub.collectors.base import Snapshot, SnapshotStatus
from vabhub.collectors.disks import DiskReader
from vabhub.collectors.gpus import GpuReader
from vabhub.collectors.rates import CpuSampler, RateSampler
from vabhub.collectors.system import GIB, SystemCollector

CONTRACT = """
    cpu_usage memory_usage disk_usage memory_total_gb memory_used_gb disk_total_gb disk_used_gb disk_free_gb
    network_sent network_recv per_core load swap disks interfaces temperatures gpus uptime_s process
""".split()  # noqa: SIM905

Part = namedtuple("Part", "device mountpoint fstype opts")


@pytest.fixture
def snapshot() -> Snapshot:
    return SystemCollector().collect()


@pytest.fixture
def mounts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Part]]:
    """The machine's mounts, to be replaced: which ones exist is not ours to arrange."""
    parts: list[Part] = []
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: parts)
    yield parts


def test_every_field_of_the_contract_is_there(snapshot: Snapshot) -> None:
    assert snapshot.data is not None
    assert [name for name in CONTRACT if name not in snapshot.data] == []
    assert snapshot.status == SnapshotStatus.OK


def test_snapshot_survives_json(snapshot: Snapshot) -> None:
    assert Snapshot.from_json(snapshot.to_json()) == snapshot
    assert Snapshot.from_json(snapshot.to_json().encode()) == snapshot


def test_numbers_are_those_of_psutil(snapshot: Snapshot) -> None:
    data = snapshot.data or {}
    assert data["memory_total_gb"] == round(psutil.virtual_memory().total / GIB, 2)
    assert data["disk_total_gb"] == round(psutil.disk_usage("/").total / GIB, 2)
    assert data["network_recv"] <= psutil.net_io_counters().bytes_recv
    assert data["process"]["pid"] == os.getpid()
    assert len(data["load"]) == 3


def test_first_sample_has_no_cpu_and_no_rates(snapshot: Snapshot) -> None:
    data = snapshot.data or {}
    assert data["cpu_usage"] is None
    assert data["per_core"] is None
    assert {interface["recv_bps"] for interface in data["interfaces"]} == {None}


def test_cpu_covers_the_time_between_two_samples() -> None:
    sampler = CpuSampler()
    sampler.sample()
    before = time.process_time()
    wait_until(lambda: time.process_time() - before > 0.3, every_s=0)
    total, per_core = sampler.sample()
    assert total is not None
    assert total > 0
    assert per_core is not None
    assert len(per_core) == psutil.cpu_count()
    assert all(0 <= core <= 100 for core in per_core if core is not None)


def test_core_that_comes_or_goes_makes_the_sample_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = CpuSampler()
    sampler.sample()
    one_less = psutil.cpu_times(percpu=True)[:-1]
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: one_less)
    assert sampler.sample() == (None, None)


def test_rates_are_bytes_a_second_and_a_reset_counter_is_unknown() -> None:
    sampler = RateSampler()
    assert sampler.sample({"eth0": (100, 100)}) == {"eth0": (None, None)}
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 0.1, every_s=0.01)
    rates = sampler.sample({"eth0": (1100, 50), "eth1": (5, 5)})
    sent, received = rates["eth0"]
    assert sent is not None
    assert 0 < sent <= 10_000
    assert received is None
    assert rates["eth1"] == (None, None)


def test_pseudo_file_systems_are_no_disks(mounts: list[Part]) -> None:
    mounts += [
        Part("proc", "/proc", "proc", "rw"),
        Part("tmpfs", "/dev/shm", "tmpfs", "rw"),
        Part("overlay", "/proc", "overlay", "rw"),
        Part("/dev/root", "/", "ext4", "rw"),
    ]
    assert [disk["mount"] for disk in DiskReader(container=False).read()] == ["/"]


def test_overlay_is_the_root_disk_of_a_container(mounts: list[Part]) -> None:
    mounts.append(Part("overlay", "/", "overlay", "rw"))
    disks = DiskReader(container=True).read()
    assert disks[0]["in_container"] is True
    assert disks[0]["total_bytes"] == psutil.disk_usage("/").total
    assert disks[0]["free_bytes"] > 0


def test_bind_mounts_count_in_a_container_only(mounts: list[Part], tmp_path: os.PathLike[str]) -> None:
    mounts += [Part("/dev/sda1", "/", "ext4", "rw"), Part("/dev/sda1", str(tmp_path), "ext4", "rw")]
    assert [d["mount"] for d in DiskReader(container=True).read()] == ["/", str(tmp_path)]
    assert [d["mount"] for d in DiskReader(container=False).read()] == ["/"]


def test_bound_file_is_no_disk(mounts: list[Part]) -> None:
    mounts.append(Part("/dev/sda1", "/etc/hosts", "ext4", "rw"))
    assert DiskReader(container=True).read() == []


def test_mount_that_is_gone_has_nulls(mounts: list[Part], tmp_path: os.PathLike[str]) -> None:
    mounts.append(Part("nas:/media", "/nowhere/at/all", "nfs4", "rw"))
    disks = DiskReader(container=False).read()
    assert disks == [] or disks[0]["total_bytes"] is None


def test_what_psutil_cannot_tell_is_null(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("no /sys here")

    for name in ("sensors_temperatures", "net_io_counters", "virtual_memory", "swap_memory", "getloadavg"):
        monkeypatch.setattr(psutil, name, fail)
    data = SystemCollector().collect().data or {}
    for name in ("temperatures", "network_sent", "interfaces", "memory_usage", "swap", "load"):
        assert data[name] is None


def test_graphics_cards_are_what_nvidia_smi_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    says = "0, NVIDIA RTX A2000, 37, 1024, 6138, 51, 23.45\n1, Tesla K80, [N/A], 512, 11441, 40, [N/A]\n"
    _put_on_path(monkeypatch, tmp_path, f"cat <<'END'\n{says}END")
    reader = GpuReader()
    cards = wait_until(reader.read)
    assert [card["name"] for card in cards] == ["NVIDIA RTX A2000", "Tesla K80"]
    assert [card["usage"] for card in cards] == [37, None]
    assert cards[0]["memory_total_bytes"] == 6138 * 1024**2
    assert (cards[0]["celsius"], cards[0]["watts"], cards[1]["watts"]) == (51, 23.45, None)


@pytest.mark.parametrize("script", ["echo no devices were found", "echo broken >&2; exit 9"])
def test_a_driver_that_fails_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    asked = tmp_path / "asked"
    _put_on_path(monkeypatch, tmp_path, f"touch {asked}; {script}")
    reader = GpuReader()
    wait_until(lambda: reader.read() or asked.exists())
    assert reader.read() is None


def test_without_nvidia_smi_no_card_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert GpuReader().read() is None


def _put_on_path(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

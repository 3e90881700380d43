"""The disks a person would name: real mounts with their space, none of the kernel's pseudo file systems."""

from __future__ import annotations

import os
import threading
from functools import cache
from pathlib import Path
from typing import Any

import psutil

# fmt: off
_PSEUDO = frozenset(
    {
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devfs",
        "devpts", "devtmpfs", "efivarfs", "erofs", "fusectl", "hugetlbfs", "iso9660", "mqueue",
        "nsfs", "overlayfs", "proc", "pstore", "ramfs", "rootfs", "rpc_pipefs", "securityfs",
        "selinuxfs", "squashfs", "sysfs", "tmpfs", "tracefs", "fuse.gvfsd-fuse", "fuse.lxcfs",
        "fuse.portal", "fuse.snapfuse",
    }
)
# fmt: on
# A dead server makes statvfs on these wait for ever.
_REMOTE = ("nfs", "cifs", "smb", "fuse", "9p", "ceph", "glusterfs", "afs")
_REMOTE_TIMEOUT_S = 1.0


@cache
def in_container() -> bool:
    """Return whether this process runs in a container (Docker, Podman, LXC or Kubernetes)."""
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return True
    try:
        groups = Path("/proc/1/cgroup").read_text(encoding="utf-8")
    except OSError:
        return False
    return any(word in groups for word in ("docker", "kubepods", "lxc", "libpod"))


class DiskReader:
    """Reads the space of every real mount; a mount that hangs is reported with nulls and delays nobody."""

    def __init__(self, *, container: bool | None = None) -> None:
        self._container = in_container() if container is None else container
        self._waiting: dict[str, _Question] = {}

    def read(self) -> list[dict[str, Any]]:
        """Return one entry a mount: mount, device, fstype, bytes, percent, inodes, in_container."""
        disks: list[dict[str, Any]] = []
        seen: set[Any] = set()
        for part in sorted(psutil.disk_partitions(all=True), key=lambda part: len(part.mountpoint)):
            if _is_pseudo(part):
                continue
            space = self._space(part.mountpoint, part.fstype)
            identity = self._identity(part, space)
            if identity not in seen and space != _NOT_A_DISK:
                seen.add(identity)
                disks.append(self._entry(part, space))
        return disks

    def _identity(self, part: Any, space: dict[str, Any]) -> Any:
        # On a host a bind mount is the same disk again; in a container it is how a disk comes in at all.
        return part.mountpoint if self._container else (part.device, space.get("_device"))

    def _entry(self, part: Any, space: dict[str, Any]) -> dict[str, Any]:
        numbers = {name: value for name, value in space.items() if not name.startswith("_")}
        where = {"mount": part.mountpoint, "device": part.device, "fstype": part.fstype}
        return where | numbers | {"in_container": self._container}

    def _space(self, mount: str, fstype: str) -> dict[str, Any]:
        if not fstype.startswith(_REMOTE):
            return _space(mount)
        question = self._waiting.setdefault(mount, _Question(mount))
        question.finished.wait(_REMOTE_TIMEOUT_S if question.is_new() else 0)
        if not question.finished.is_set():
            return _UNKNOWN
        del self._waiting[mount]
        return question.answer


def _is_pseudo(part: Any) -> bool:
    # An overlay is a container's root; elsewhere it is the host's view of somebody's container.
    inner = part.fstype == "overlay" and part.mountpoint != "/"
    return inner or not part.fstype or part.fstype in _PSEUDO


class _Question:
    """One statvfs in a thread of its own; while it hangs, nobody asks again."""

    def __init__(self, mount: str) -> None:
        self.finished = threading.Event()
        self.answer: dict[str, Any] = {}
        self._new = True
        self._thread = threading.Thread(target=self._ask, args=(mount,), daemon=True, name="statvfs")

    def is_new(self) -> bool:
        new, self._new = self._new, False
        if new:
            self._thread.start()
        return new

    def _ask(self, mount: str) -> None:
        self.answer = _space(mount)
        self.finished.set()


_NUMBERS = ("total_bytes", "used_bytes", "free_bytes", "percent", "inodes_total", "inodes_free")
_UNKNOWN: dict[str, Any] = dict.fromkeys(_NUMBERS)
_NOT_A_DISK: dict[str, Any] = {}


def _space(mount: str) -> dict[str, Any]:
    """Return the numbers of one mount: nulls when unreadable, nothing for a file (/etc/hosts)."""
    try:
        if not Path(mount).is_dir():
            return _NOT_A_DISK
        stat = os.statvfs(mount)
        device = Path(mount).stat().st_dev
    except OSError:
        return _UNKNOWN
    total, free = stat.f_blocks * stat.f_frsize, stat.f_bavail * stat.f_frsize
    if total == 0:
        return _NOT_A_DISK
    used = total - stat.f_bfree * stat.f_frsize
    # As df does: what root reserves counts as neither free nor used.
    percent = round(100 * used / (used + free), 1) if used + free else None
    inodes = (stat.f_files or None, stat.f_favail if stat.f_files else None)
    values = (total, used, free, percent, *inodes)
    return dict(zip(_NUMBERS, values, strict=True)) | {"_device": device}

"""Folders of small files that stand for media."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_NOBODY = 65534


def make_tree(root: Path, paths: Iterable[str], *, size: int = 3) -> None:
    """Make files of `size` bytes."""
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * size)


@contextmanager
def unreadable(folder: Path) -> Iterator[None]:
    """Take the right to read a folder away; root, who may read all, acts as nobody meanwhile."""
    folder.chmod(0)
    user = os.geteuid()
    if user == 0:
        for parent in folder.parents:
            if parent.stat().st_uid == 0 and str(parent).startswith("/tmp/"):
                parent.chmod(parent.stat().st_mode | 0o755)
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        folder.chmod(0o755)

"""The library: a first scan, rescans of what has not changed, and the counts, from 1,000 to 100,000 files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import select

from tests.bench.figures import Report, rounds
from tests.bench.place import BACKENDS, Place, using
from vabhub.collectors.library import media_stats, request_scan, run_scan, sync_roots
from vabhub.db import reading, transaction
from vabhub.models import LibraryScan
from vabhub.settings import MediaRoot, get_settings

SIZES, QUICK_SIZES = (1_000, 10_000, 100_000), (200, 1_000)
RESCAN_S = 10.0
_LONG_AGO = (1_600_000_000, 1_600_000_000)
_PER_SEASON = 10


@dataclass(slots=True)
class Store:
    """One database, and the seconds of each kind of scan by the number of files."""

    place: Place
    figures: dict[tuple[int, str], list[float]] = field(default_factory=dict)

    def first_scan(self, tree: Path, size: int) -> None:
        """Scan a tree that no database knows."""
        self._scan(tree, size, "first scan", parsed=size)

    def again(self, tree: Path, size: int) -> None:
        """Scan it again: the unchanged, one changed folder, every file; and count."""
        self._scan(tree, size, "rescan, unchanged")
        os.utime(next(tree.glob("*/*")))
        self._scan(tree, size, "rescan, one folder changed")
        self._scan(tree, size, "rescan, every file", full=True)
        with using(self.place), reading() as session:
            began = time.perf_counter()
            media_stats(session)
            self._note(size, "counts", time.perf_counter() - began)

    def _scan(self, tree: Path, size: int, name: str, *, parsed: int = 0, full: bool = False) -> None:
        """Run a scan as the worker does, and see that it did what is to be measured."""
        with using(self.place):
            roots = (MediaRoot(path=tree, kind="tv"),)
            with transaction() as session:
                [root_id] = sync_roots(session, get_settings().model_copy(update={"media_roots": roots}))
                request_scan(session, root_id, full=full)
            began = time.perf_counter()
            run_scan(root_id)
            self._note(size, name, time.perf_counter() - began)
            with reading() as session:
                newest = select(LibraryScan).where(LibraryScan.root_id == root_id)
                done = session.scalars(newest.order_by(LibraryScan.id.desc()).limit(1)).one()
                if (done.state, done.total, done.parsed) != ("done", size, parsed):
                    raise RuntimeError(
                        f"{name}: {done.state}, {done.parsed} of {done.total} read, {done.error}"
                    )

    def _note(self, size: int, name: str, took_s: float) -> None:
        self.figures.setdefault((size, name), []).append(took_s)


def measure(directory: Path, turns: int, *, quick: bool) -> Report:
    """Scan trees of three sizes into both databases, the databases by turns."""
    sizes = QUICK_SIZES if quick else SIZES
    report = Report("Library: empty files with a show's names, ten in a folder")
    with ExitStack() as stack:
        stores = [Store(stack.enter_context(Place(directory / name, name, workers=0))) for name in BACKENDS]
        for size in sizes:
            tree = directory / f"tree-{size}"
            _make(tree, size)
            for store in stores:
                store.first_scan(tree, size)
            # Only the unchanged are measured several times: a name is read by one scan alone.
            rounds(turns, *(partial(store.again, tree, size) for store in stores))
        for store in stores:
            _tell(report, store, sizes)
    report.notes.append(
        "A first scan is measured once a size; guessit reads one name of 100; music's tags are not in it."
    )
    return report


def _tell(report: Report, store: Store, sizes: tuple[int, ...]) -> None:
    for (size, name), took in store.figures.items():
        title = f"{store.place.backend}, {size} files: {name}"
        if name == "first scan":
            report.add(title, "files/s", [size / one for one in took])
            continue
        target = {"at_most": RESCAN_S} if name == "rescan, unchanged" and size == max(SIZES) else {}
        report.add(title, "s", took, **target)
    rescans = [min(store.figures[size, "rescan, unchanged"]) for size in sizes]
    grown = " : ".join(f"{one / rescans[0]:.1f}" for one in rescans)
    report.notes.append(f"{store.place.backend}: {' : '.join(map(str, sizes))} files rescan in {grown}")


def _make(tree: Path, size: int) -> None:
    for folder, names in _folders(size):
        (tree / folder).mkdir(parents=True)
        for name in names:
            (tree / folder / name).touch()
            os.utime(tree / folder / name, _LONG_AGO)
    for folder, _, _ in os.walk(tree):
        os.utime(folder, _LONG_AGO)


def _folders(size: int) -> Iterator[tuple[str, list[str]]]:
    for number in range(size // _PER_SEASON):
        show, season = f"Some Show {number // 5}", number % 5 + 1
        dotted = show.replace(" ", ".")
        names = [
            f"{dotted}.S{season:02}E{episode:02}.1080p.WEB-DL.x264.mkv"
            for episode in range(1, _PER_SEASON + 1)
        ]
        if number % 10 == 0:
            names[-1] = f"{dotted}.Finale.mkv"  # guessit is asked, as for odd names in a real library
        yield f"{show} (2019)/Season {season}", names

"""L1: this process's own memory, bounded by entries and bytes; what was not used for longest goes first.

Nobody is handed an object that another caller can change: a value that can change is kept as bytes and read
anew for each caller.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from math import inf
from typing import Any

from vabhub.cache import codec
from vabhub.cache.entry import Entry
from vabhub.cache.keys import prefix_of
from vabhub.cache.tier import Tier, Usage
from vabhub.clock import epoch

DEFAULT_S = 300.0
ENTRIES = 10_000
SIZE_BYTES = 32 * 2**20
# How much earlier than its end an entry may be built anew, in build times: beyond it the chance is < 0.1 %.
EARLY = 7.0
# A slot, its entry, its key and its place in the order, measured with tracemalloc.
_OVERHEAD_BYTES = 420


class Slot:
    """One entry in memory. `until` ends its stay here, `early_at` begins the time of early building."""

    __slots__ = ("early_at", "entry", "packed", "size_bytes", "until", "value")

    def __init__(self, entry: Entry, packed: bytes | None, size_bytes: int, until: float) -> None:
        self.entry = entry
        self.value = entry.value
        self.packed = packed
        self.size_bytes = size_bytes
        self.until = until
        self.early_at = min(until, entry.expires_at - EARLY * entry.build_s)

    def read(self) -> Any:
        """Return the value: the very object when nobody can change it, else one of the caller's own."""
        return self.value if self.packed is None else codec.unpack_value(self.packed)


class Memory(Tier):
    """Entries of this process. `slots` may be read without the lock; everything else takes it."""

    name = "memory"

    def __init__(
        self,
        *,
        entries: int = ENTRIES,
        size_bytes: int = SIZE_BYTES,
        longest_s: float = DEFAULT_S,
        now: Callable[[], float] = epoch,
    ) -> None:
        self.now = now
        self.slots: OrderedDict[str, Slot] = OrderedDict()
        self.evictions = 0
        self._most = entries
        self._most_bytes = size_bytes
        self._longest_s = longest_s
        self._deaf_s = inf
        self._bytes = 0
        self._lock = threading.RLock()
        # Grows with every invalidation: who looked elsewhere before one must not put back what it found.
        self.generation = 0

    def get(self, key: str) -> Entry | None:
        """Return the entry with a value of the caller's own, None when there is none."""
        slot = self.slots.get(key)
        if slot is None:
            return None
        if self.now() >= slot.until:
            self._drop(key, slot)
            return None
        self.touch(key)
        if slot.packed is None:
            return slot.entry
        one = slot.entry
        return Entry(slot.read(), one.built_at, one.expires_at, one.stale_until, one.build_s)

    def touch(self, key: str) -> None:
        """Note that the key was used."""
        try:
            self.slots.move_to_end(key)
        except KeyError:  # it has just been evicted
            return

    def put(
        self,
        key: str,
        entry: Entry,
        *,
        packed: bytes | None = None,
        shared: bool = False,
        generation: int | None = None,
    ) -> bool:
        """Keep the entry for what is left of its life, 300 s at most; False when a newer one is here.

        `shared` hands the object itself to every caller, who promise not to change it. With `generation` it
        is refused when anything was invalidated since.
        """
        own = shared or codec.is_frozen(entry.value)
        size_bytes = len(packed) if packed is not None else len(codec.pack(entry, key))
        body = None if own else codec.pack_value(entry.value, key)
        until = min(entry.stale_until, self.now() + min(self._longest_s, self._deaf_s))
        slot = Slot(entry, body, size_bytes + len(key) + _OVERHEAD_BYTES, until)
        with self._lock:
            if generation is not None and generation != self.generation:
                return False
            if self._is_older(entry, self.slots.get(key)):
                return False
            self._remove(key)
            if slot.size_bytes > self._most_bytes:
                return False
            self.slots[key] = slot
            self._bytes += slot.size_bytes
            self._evict()
        return True

    def delete(self, keys: Iterable[str]) -> int:
        """Forget these keys."""
        with self._lock:
            self.generation += 1
            return sum(self._remove(key) for key in keys)

    def delete_prefix(self, prefix: str) -> int:
        """Forget every key that begins like this."""
        with self._lock:
            self.generation += 1
            return sum(self._remove(key) for key in list(self.slots) if key.startswith(prefix))

    def set_deaf(self, longest_s: float | None) -> None:
        """While invalidations cannot be heard, let nothing stay longer than this; None: they are heard."""
        with self._lock:
            self._deaf_s = inf if longest_s is None else longest_s
            until = self.now() + self._deaf_s
            for slot in self.slots.values():
                slot.until = min(slot.until, until)
                slot.early_at = min(slot.early_at, slot.until)

    def usage(self) -> dict[str, Usage]:
        """Return entries and bytes by prefix."""
        found: dict[str, Usage] = {}
        with self._lock:
            for key, slot in self.slots.items():
                prefix = prefix_of(key)
                found[prefix] = found.get(prefix, Usage()) + Usage(1, slot.size_bytes)
        return found

    def sweep(self) -> int:
        """Drop what is past its end."""
        now = self.now()
        with self._lock:
            gone = [key for key, slot in self.slots.items() if now >= slot.until]
            return sum(self._remove(key) for key in gone)

    def _is_older(self, entry: Entry, known: Slot | None) -> bool:
        # One that is ahead of the clock was built before the clock was set back: time begins anew.
        return known is not None and entry.built_at < known.entry.built_at <= self.now() + 1

    def _drop(self, key: str, slot: Slot) -> None:
        with self._lock:
            if self.slots.get(key) is slot:
                self._remove(key)

    def _remove(self, key: str) -> bool:
        slot = self.slots.pop(key, None)
        if slot is not None:
            self._bytes -= slot.size_bytes
        return slot is not None

    def _evict(self) -> None:
        while len(self.slots) > self._most or self._bytes > self._most_bytes:
            _, slot = self.slots.popitem(last=False)
            self._bytes -= slot.size_bytes
            self.evictions += 1

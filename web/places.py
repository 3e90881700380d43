"""How many sockets one web process holds, and how many of them may be nameless."""

from __future__ import annotations

import threading

# Of a process's places. A flood of connections that never say who they are leaves room for all others.
_MOST_STRANGERS = 256


class Places:
    """The room for sockets."""

    def __init__(self, most: int) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._most_strangers = min(_MOST_STRANGERS, max(1, most // 4))
        self._taken = self._strangers = 0

    def take(self, *, stranger: bool) -> Place | None:
        """Take one place, None when there is none."""
        with self._lock:
            if self._taken >= self._most or (stranger and self._strangers >= self._most_strangers):
                return None
            self._taken += 1
            self._strangers += stranger
        return Place(self, stranger=stranger)

    def give_back(self, *, places: int, strangers: int) -> None:
        """Take back what a place held."""
        with self._lock:
            self._taken -= places
            self._strangers -= strangers


class Place:
    """Room for one socket."""

    def __init__(self, places: Places, *, stranger: bool) -> None:
        self._places = places
        self._stranger = stranger

    def recognise(self) -> None:
        """Count as a stranger's no longer: the client has said who it is."""
        stranger, self._stranger = self._stranger, False
        self._places.give_back(places=0, strangers=stranger)

    def release(self) -> None:
        """Give it back."""
        self._places.give_back(places=1, strangers=self._stranger)

"""What all download clients share: one question at a time, and less often while it fails."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from vabhub.clock import utcnow
from vabhub.collectors.downloads import credentials
from vabhub.collectors.downloads.base import Action, Capability, DownloadItem, Reading, Transfer
from vabhub.collectors.downloads.config import ClientConfig
from vabhub.collectors.downloads.faults import FaultCode, SourceFailed, SourceFault
from vabhub.log import get_logger

log = get_logger(__name__)

T = TypeVar("T")

FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 30.0
# A ban lasts an hour by default, and a refused password stays refused: asking each half minute for the end
# of it would only fill a log.
LONG_PAUSE_S = 300.0
_REFUSED = (
    "{program} at {where} refused the user name or password. It is not tried again, so that {program} "
    "does not ban this machine: {mend}."
)
_LOGIN_WANTED = "{program} at {where} wants a login: {mend}."
_LONG = frozenset({FaultCode.BANNED, FaultCode.CREDENTIALS})
MOST_ITEMS = 50_000


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one question to a client gave."""

    items: Sequence[DownloadItem]
    transfer: Transfer


class ClientCollector(ABC):
    """One download client. `read()` never raises for the client and never asks two things at once."""

    program: str
    capabilities: frozenset[Capability] = frozenset(Capability)
    # What names one download. Some clients take a word such as "all" in its place.
    id_pattern: re.Pattern[str]

    def __init__(self, config: ClientConfig, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.instance = config.name
        self.config = config
        self._monotonic = monotonic
        self._lock = threading.Lock()
        address = hashlib.sha256(f"{config.kind} {config.url}".encode()).hexdigest()[:32]
        self._last = Reading(config.name, kind=config.kind, capabilities=self.capabilities, mark=address)
        self._pause_s = 0.0
        self._ask_again_at = 0.0

    @abstractmethod
    def fetch(self) -> Fetched:
        """Ask the client; SourceFailed with a named fault when it does not answer as it should."""

    @abstractmethod
    def act(self, action: Action, ids: Sequence[str], *, delete_files: bool) -> Mapping[str, str]:
        """Do it with these downloads; return why not, for those with which it was not done.

        `delete_files` only comes with DELETE, and only where the client has the capability.
        """

    @abstractmethod
    def close(self) -> None:
        """Close the connections."""

    @property
    def last(self) -> Reading:
        """Return the newest reading without asking."""
        return self._last

    def read(self) -> Reading:
        """Return the newest reading; while the client fails, the last good values with the fault."""
        with self._lock:
            if self._monotonic() >= self._ask_again_at:
                self._last = self._ask()
            return self._last

    def control(self, action: Action, ids: Sequence[str], *, delete_files: bool = False) -> Mapping[str, str]:
        """Pause, resume or delete; return why not, for those with which it was not done.

        SourceFailed when the client does not do what it is told.
        """
        if (Capability.DELETE_FILES if delete_files else Capability(action)) not in self.capabilities:
            return dict.fromkeys(ids, f"{self.program} cannot do this.")
        named = [one for one in ids if self.id_pattern.fullmatch(one)]
        refused = dict.fromkeys(set(ids) - set(named), f"{self.program} has no such download.")
        if not named:
            return refused
        with self._lock:
            self._ask_again_at = 0.0
            return {**refused, **self.guarded(lambda: self.act(action, named, delete_files=delete_files))}

    def guarded(self, ask: Callable[[], T]) -> T:
        """Ask something, with the care for credentials that the client's way of signing in needs."""
        return ask()

    def wake(self) -> None:
        """End the pause after a failure."""
        self._ask_again_at = 0.0

    def break_down(self) -> None:
        """Keep the last values with the fault that this program could not read the answer."""
        text = f"VabHub could not read what {self.program} at {self.where} answered. The log says why."
        with self._lock:
            self._last = replace(self._last, fault=SourceFault(FaultCode.INTERNAL, text))
            self._ask_again_at = self._monotonic() + LONGEST_PAUSE_S

    def refused(self) -> SourceFailed:
        """Return the fault of refused credentials, also for those that are not tried again."""
        text = _REFUSED if self.config.secret else _LOGIN_WANTED
        words = {"program": self.program, "where": self.where, "mend": self.config.mend}
        return SourceFailed(FaultCode.CREDENTIALS, text.format(**words))

    @cached_property
    def mark(self) -> str:
        """Return what stands for exactly these credentials in the memory of refused ones."""
        return credentials.fingerprint(self.config.url, self.config.username, self.config.secret)

    @property
    @abstractmethod
    def where(self) -> str:
        """Return the address without credentials."""

    def _ask(self) -> Reading:
        try:
            fetched = self.guarded(self.fetch)
            self._refuse_floods(fetched)
        except SourceFailed as error:
            self._pause_after(error)
            return replace(self._last, fault=error.fault)
        self._recover()
        return replace(
            self._last,
            collected_at=utcnow(),
            items=tuple(fetched.items),
            transfer=fetched.transfer,
            fault=None,
        )

    def _refuse_floods(self, fetched: Fetched) -> None:
        if len(fetched.items) > MOST_ITEMS:
            text = f"{self.program} at {self.where} lists more than {MOST_ITEMS} downloads."
            raise SourceFailed(FaultCode.TOO_LARGE, text)

    def _pause_after(self, error: SourceFailed) -> None:
        fault = error.fault
        if self._last.fault is None or self._last.fault.code is not fault.code:
            log.warning("downloads.failed", instance=self.instance, code=fault.code.value, reason=fault.text)
        self._pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, self._pause_s * 2))
        pause_s = LONG_PAUSE_S if fault.code in _LONG else self._pause_s
        self._ask_again_at = self._monotonic() + pause_s

    def _recover(self) -> None:
        if self._last.fault is not None:
            log.info("downloads.recovered", instance=self.instance)
        self._pause_s = 0.0
        self._ask_again_at = 0.0


class GuardedCollector(ClientCollector):
    """A client that gets its credentials with each question: once refused, they are not sent again."""

    def __init__(self, config: ClientConfig, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(config, monotonic=monotonic)
        self._accepted = not (config.username or config.secret)

    def guarded(self, ask: Callable[[], T]) -> T:
        """Ask, unless exactly these credentials were ever refused."""
        if not self._accepted and credentials.is_refused(self.instance, self.mark):
            raise self.refused()
        try:
            answer = ask()
        except SourceFailed as error:
            if error.fault.code is FaultCode.CREDENTIALS and (self.config.username or self.config.secret):
                self._accepted = False
                credentials.remember_refused(self.instance, self.mark)
            raise
        if not self._accepted:
            credentials.forget_refused(self.instance)
            self._accepted = True
        return answer

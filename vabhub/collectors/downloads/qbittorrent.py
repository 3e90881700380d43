"""Read one qBittorrent by the deltas of `sync/maindata`; a failing one is asked less and less often."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from vabhub.clock import utcnow
from vabhub.collectors.downloads import credentials
from vabhub.collectors.downloads.base import DownloadItem, Reading
from vabhub.collectors.downloads.faults import FaultCode, SourceFailed
from vabhub.collectors.downloads.qbittorrent_api import NotLoggedIn, QBittorrentApi
from vabhub.collectors.downloads.qbittorrent_fields import item_of, transfer_of
from vabhub.log import get_logger

log = get_logger(__name__)

FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 30.0
# A ban lasts an hour by default; asking for the end of it each half minute would only fill a log.
BANNED_PAUSE_S = 300.0


class QBittorrentCollector:
    """One qBittorrent, one session. `read()` never raises and never asks two things at once."""

    def __init__(
        self,
        url: str,
        username: str,
        password: str | None,
        *,
        instance: str = "qbittorrent",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.instance = instance
        self._credentials = (url, username, password or "")
        self._api = QBittorrentApi(*self._credentials)
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._last = Reading(instance)
        self._torrents: dict[str, dict[str, Any]] = {}
        self._items: dict[str, DownloadItem] = {}
        self._server_state: dict[str, Any] = {}
        self._version: str | None = None
        self._rid = 0
        self._pause_s = 0.0
        self._ask_again_at = 0.0

    def read(self) -> Reading:
        """Return the newest reading; while the client fails, the last good values with the fault."""
        with self._lock:
            if self._monotonic() >= self._ask_again_at:
                self._last = self._ask()
            return self._last

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _ask(self) -> Reading:
        try:
            self._apply(self._changes())
        except SourceFailed as error:
            self._pause_after(error)
            return replace(self._last, fault=error.fault)
        self._recover()
        transfer = transfer_of(self._server_state, self._version)
        return Reading(self.instance, utcnow(), tuple(self._items.values()), transfer)

    def _changes(self) -> dict[str, Any]:
        try:
            return self._api.changes(self._rid)
        except NotLoggedIn:
            self._log_in_once()
        try:
            return self._api.changes(self._rid)
        except NotLoggedIn as error:
            text = "qBittorrent took the login and then refused it. Check the proxy in front of it."
            raise SourceFailed(FaultCode.UPSTREAM, text) from error

    def _log_in_once(self) -> None:
        """Log in, unless these credentials were ever refused; deltas begin anew with the session."""
        self._rid = 0
        if not self._credentials[2]:
            raise self._api.no_password()
        mark = credentials.fingerprint(*self._credentials)
        if credentials.is_refused(self.instance, mark):
            raise self._api.refused()
        try:
            self._api.log_in()
        except SourceFailed as error:
            if error.fault.code is FaultCode.CREDENTIALS:
                credentials.remember_refused(self.instance, mark)
            raise
        credentials.forget_refused(self.instance)
        self._version = None

    def _apply(self, changes: dict[str, Any]) -> None:
        if changes.get("full_update"):
            self._torrents, self._items, self._server_state = {}, {}, {}
        for torrent_hash in _listed(changes.get("torrents_removed")):
            self._torrents.pop(torrent_hash, None)
            self._items.pop(torrent_hash, None)
        for torrent_hash, fields in _mapped(changes.get("torrents")).items():
            known = self._torrents.setdefault(torrent_hash, {})
            known.update(_mapped(fields))
            self._items[torrent_hash] = item_of(torrent_hash, known, self.instance)
        self._server_state.update(_mapped(changes.get("server_state")))
        self._rid = changes["rid"]
        self._version = self._version or self._ask_version()

    def _ask_version(self) -> str | None:
        try:
            return self._api.version()
        except (SourceFailed, NotLoggedIn):
            return None

    def _pause_after(self, error: SourceFailed) -> None:
        fault = error.fault
        if self._last.fault is None or self._last.fault.code is not fault.code:
            log.warning("downloads.failed", instance=self.instance, code=fault.code.value, reason=fault.text)
        self._pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, self._pause_s * 2))
        pause_s = BANNED_PAUSE_S if fault.code is FaultCode.BANNED else self._pause_s
        self._ask_again_at = self._monotonic() + pause_s

    def _recover(self) -> None:
        if self._last.fault is not None:
            log.info("downloads.recovered", instance=self.instance)
        self._pause_s = 0.0
        self._ask_again_at = 0.0


def _mapped(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []

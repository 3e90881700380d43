"""Read one qBittorrent by the deltas of `sync/maindata`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vabhub.collectors.downloads import credentials
from vabhub.collectors.downloads.base import Action, DownloadItem
from vabhub.collectors.downloads.collector import ClientCollector, Fetched, T
from vabhub.collectors.downloads.config import ClientConfig
from vabhub.collectors.downloads.faults import FaultCode, SourceFailed
from vabhub.collectors.downloads.fields import listed, mapped
from vabhub.collectors.downloads.qbittorrent_api import NotLoggedIn, QBittorrentApi
from vabhub.collectors.downloads.qbittorrent_fields import item_of, transfer_of


class QBittorrentCollector(ClientCollector):
    """One qBittorrent, one session."""

    program = "qBittorrent"
    id_pattern = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

    def __init__(self, config: ClientConfig, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(config, monotonic=monotonic)
        self._api = QBittorrentApi(config.url, config.username, config.secret, verify_tls=config.verify_tls)
        self._torrents: dict[str, dict[str, Any]] = {}
        self._items: dict[str, DownloadItem] = {}
        self._server_state: dict[str, Any] = {}
        self._version: str | None = None
        self._rid = 0

    @property
    def where(self) -> str:
        """Return the address without credentials."""
        return self._api.where

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def fetch(self) -> Fetched:
        """Ask for what changed, logging in where that is wanted."""
        self._apply(self._signed_in(lambda: self._api.changes(self._rid)))
        return Fetched(tuple(self._items.values()), transfer_of(self._server_state, self._version))

    def act(self, action: Action, ids: Sequence[str], *, delete_files: bool) -> Mapping[str, str]:
        """Stop, start or delete torrents; unknown ones are passed over in silence."""
        self._signed_in(lambda: self._api.act(action, ids, delete_files=delete_files))
        return {}

    def _signed_in(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except NotLoggedIn:
            self._log_in_once()
        try:
            return ask()
        except NotLoggedIn as error:
            text = "qBittorrent took the login and then refused it. Check the proxy in front of it."
            raise SourceFailed(FaultCode.UPSTREAM, text) from error

    def _log_in_once(self) -> None:
        """Log in, unless these credentials were ever refused; deltas begin anew with the session."""
        self._rid = 0
        if not self.config.secret:
            raise self.refused()
        if credentials.is_refused(self.instance, self.mark):
            raise self.refused()
        try:
            self._api.log_in()
        except SourceFailed as error:
            if error.fault.code is not FaultCode.CREDENTIALS:
                raise
            credentials.remember_refused(self.instance, self.mark)
            raise self.refused() from error
        credentials.forget_refused(self.instance)
        self._version = None

    def _apply(self, changes: dict[str, Any]) -> None:
        if changes.get("full_update"):
            self._torrents, self._items, self._server_state = {}, {}, {}
        for torrent_hash in listed(changes.get("torrents_removed")):
            self._torrents.pop(str(torrent_hash), None)
            self._items.pop(str(torrent_hash), None)
        for torrent_hash, fields in mapped(changes.get("torrents")).items():
            known = self._torrents.setdefault(torrent_hash, {})
            known.update(mapped(fields))
            self._items[torrent_hash] = item_of(torrent_hash, known, self.instance)
        self._server_state.update(mapped(changes.get("server_state")))
        self._rid = changes["rid"]
        self._version = self._version or self._ask_version()

    def _ask_version(self) -> str | None:
        try:
            return self._api.version()
        except (SourceFailed, NotLoggedIn):
            return None

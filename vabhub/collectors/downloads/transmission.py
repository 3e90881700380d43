"""Read one Transmission (3.00 and later) by its RPC: all torrents now and then, between that what changed.

`transmission-rpc` is not used for this: its constructor already talks to the server, it follows redirects
with the password, and it reads an answer of any length. Source: Transmission, docs/rpc-spec.md.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from vabhub.collectors.downloads.base import Action, DownloadItem
from vabhub.collectors.downloads.collector import Fetched, GuardedCollector
from vabhub.collectors.downloads.config import ClientConfig
from vabhub.collectors.downloads.exchange import Exchange, Reply
from vabhub.collectors.downloads.faults import FaultCode, SourceFailed
from vabhub.collectors.downloads.fields import listed, mapped, text
from vabhub.collectors.downloads.transmission_fields import FIELDS, item_of, transfer_of

# "Recently active" is what changed within a minute; a whole list renews what it does not tell.
WHOLE_LIST_EVERY_S = 15.0
_SESSION = "X-Transmission-Session-Id"


class TransmissionCollector(GuardedCollector):
    """One Transmission."""

    program = "Transmission"
    id_pattern = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

    def __init__(self, config: ClientConfig, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(config, monotonic=monotonic)
        auth = (config.username, config.secret) if config.username or config.secret else None
        self._exchange = Exchange(
            self.program, rpc_address(config.url), auth=auth, verify_tls=config.verify_tls
        )
        self._session_id = ""
        self._version: str | None = None
        self._items: dict[str, DownloadItem] = {}
        self._ids: dict[int, str] = {}
        self._whole_at: float | None = None

    @property
    def where(self) -> str:
        """Return the address without credentials."""
        return self._exchange.where

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

    def fetch(self) -> Fetched:
        """Ask for the torrents and the totals."""
        now = self._monotonic()
        whole = self._whole_at is None or now - self._whole_at >= WHOLE_LIST_EVERY_S
        answer = self.call("torrent-get", fields=FIELDS, **({} if whole else {"ids": "recently-active"}))
        whole = whole or self._whole_at is None  # a restarted Transmission has other ids
        if not isinstance(answer.get("torrents"), list):
            raise self._exchange.failed(FaultCode.WRONG_SERVICE)
        self._apply(answer, whole=whole)
        stats = self.call("session-stats")
        if self._version is None:
            self._version = text(self.call("session-get", fields=["version"]).get("version"))
        self._whole_at = now if whole else self._whole_at
        return Fetched(tuple(self._items.values()), transfer_of(stats, self._version))

    def act(self, action: Action, ids: Sequence[str], *, delete_files: bool) -> Mapping[str, str]:
        """Stop, start or remove torrents; unknown ones are passed over in silence."""
        if action is Action.DELETE:
            self.call("torrent-remove", ids=list(ids), **{"delete-local-data": delete_files})
        else:
            self.call("torrent-stop" if action is Action.PAUSE else "torrent-start", ids=list(ids))
        self._whole_at = None
        return {}

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call one method of the RPC and return its `arguments`."""
        reply = self._post(method, arguments)
        if reply.status == 409:  # it was restarted, or this is the first word
            self._new_session(reply)
            reply = self._post(method, arguments)
        if reply.status == 401:
            raise self.refused()
        if reply.status == 403:
            raise self._not_let_in(reply)
        answer = self._exchange.parsed(reply)
        said = text(answer.get("result"))
        if said is None:
            raise self._exchange.failed(FaultCode.WRONG_SERVICE)
        if said != "success":
            raise self._exchange.failed(FaultCode.VERSION, said=said)
        return mapped(answer.get("arguments"))

    def _post(self, method: str, arguments: dict[str, Any]) -> Reply:
        question = {"method": method, "arguments": arguments}
        return self._exchange.post(json=question, headers={_SESSION: self._session_id})

    def _new_session(self, reply: Reply) -> None:
        session_id = reply.headers.get(_SESSION)
        if not session_id:
            raise self._exchange.failed(FaultCode.WRONG_SERVICE)
        self._session_id = session_id
        self._whole_at, self._version = None, None

    def _not_let_in(self, reply: Reply) -> SourceFailed:
        if "too many" in reply.text.lower():
            return self._exchange.failed(FaultCode.BANNED, advice="Restart Transmission to end it.")
        advice = "Add this machine to rpc-whitelist in Transmission's settings."
        return self._exchange.failed(FaultCode.HOST_REFUSED, said="its whitelist refuses", advice=advice)

    def _apply(self, answer: dict[str, Any], *, whole: bool) -> None:
        if whole:
            self._items, self._ids = {}, {}
        for number in listed(answer.get("removed")):
            gone = self._ids.pop(number, None) if isinstance(number, int) else None
            self._items.pop(gone or "", None)
        for fields in map(mapped, answer["torrents"]):
            item = item_of(fields, self.instance)
            if item is not None:
                self._items[item.id] = item
                self._ids[fields["id"]] = item.id


def rpc_address(url: str) -> str:
    """Return where the RPC is, whether the address of the server, of its page or of the RPC was given."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/").removesuffix("/web")
    path = path if path.endswith("/rpc") else f"{path or '/transmission'}/rpc"
    return urlunsplit(parts._replace(path=path, query="", fragment=""))

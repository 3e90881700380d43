"""Read one SABnzbd: its queue and the newest of its history. Source: SABnzbd, sabnzbd/api.py.

The key goes into the body: in an address it would stand in the log of every proxy.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from vabhub.collectors.downloads.base import Action
from vabhub.collectors.downloads.collector import MOST_ITEMS, Fetched, GuardedCollector
from vabhub.collectors.downloads.config import ClientConfig
from vabhub.collectors.downloads.exchange import Exchange
from vabhub.collectors.downloads.faults import FaultCode, SourceFailed
from vabhub.collectors.downloads.fields import listed, text
from vabhub.collectors.downloads.sabnzbd_fields import history_items, queue_items, transfer_of

HISTORY_ENTRIES = 200


class SabnzbdCollector(GuardedCollector):
    """One SABnzbd."""

    program = "SABnzbd"
    # "all", "failed" and "completed" would each stand for many.
    id_pattern = re.compile(r"(?!(?:all|failed|completed|archive)$)[A-Za-z0-9_-]{3,64}", re.IGNORECASE)

    def __init__(self, config: ClientConfig, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(config, monotonic=monotonic)
        self._exchange = Exchange(self.program, api_address(config.url), verify_tls=config.verify_tls)

    @property
    def where(self) -> str:
        """Return the address without credentials."""
        return self._exchange.where

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

    def fetch(self) -> Fetched:
        """Ask for the queue and the history."""
        queue = self._part(self.call("queue", start=0, limit=MOST_ITEMS + 1), "queue")
        history = self._part(self.call("history", start=0, limit=HISTORY_ENTRIES), "history")
        # A job that ends between the two questions is in both; its history knows more.
        items = {
            item.id: item
            for item in (*queue_items(queue, self.instance), *history_items(history, self.instance))
        }
        return Fetched(tuple(items.values()), transfer_of(queue))

    def act(self, action: Action, ids: Sequence[str], *, delete_files: bool) -> Mapping[str, str]:
        """Pause, resume or delete jobs; of a finished one SABnzbd keeps the files."""
        values = ",".join(ids)
        if action is not Action.DELETE:
            handled = self.call("queue", name=action.value, value=values).get("nzo_ids")
            return {} if handled else dict.fromkeys(ids, "It is not in the queue any more.")
        answer = self.call("queue", name="delete", value=values, del_files=int(delete_files))
        gone = set(map(text, listed(answer.get("nzo_ids"))))
        rest = [job for job in ids if job not in gone]
        if delete_files:
            return dict.fromkeys(rest, "SABnzbd keeps the files of what is finished.")
        if rest:
            self.call("history", name="delete", value=",".join(rest), del_files=0)
        return {}

    def call(self, mode: str, **arguments: Any) -> dict[str, Any]:
        """Call one mode of the API and return its answer."""
        form = {"mode": mode, "output": "json", "apikey": self.config.secret, **arguments}
        reply = self._exchange.post(data=form)
        if reply.status in (401, 403):
            raise self._not_let_in(reply.text)
        answer = self._exchange.parsed(reply)
        if answer.get("status") is False:
            raise self._not_let_in(text(answer.get("error")) or "")
        return answer

    def _part(self, answer: dict[str, Any], name: str) -> dict[str, Any]:
        part = answer.get(name)
        if not isinstance(part, dict) or not isinstance(part.get("slots"), list):
            raise self._exchange.failed(FaultCode.WRONG_SERVICE)
        return part

    def _not_let_in(self, said: str) -> SourceFailed:
        if "api key" in said.lower():  # "API Key Incorrect", "API Key Required"
            return self.refused()
        if "not implemented" in said.lower():
            return self._exchange.failed(FaultCode.VERSION, said=said)
        # "Access denied": the name in the address, or where we call from, is not on its list.
        advice = "Look at host_whitelist and inet_exposure in SABnzbd's special settings."
        return self._exchange.failed(
            FaultCode.HOST_REFUSED, said=said[:80].strip() or "no reason", advice=advice
        )


def api_address(url: str) -> str:
    """Return where the API is; without a path it is below SABnzbd's own default."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/") or "/sabnzbd"
    path = path if path.endswith("/api") else f"{path}/api"
    return urlunsplit(parts._replace(path=path, query="", fragment=""))

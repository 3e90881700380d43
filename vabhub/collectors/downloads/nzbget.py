"""Read one NZBGet: totals, queue and history. Source: NZBGet, daemon/remote/XmlRpc.cpp."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from vabhub.collectors.downloads.base import Action
from vabhub.collectors.downloads.collector import Fetched, GuardedCollector
from vabhub.collectors.downloads.config import ClientConfig
from vabhub.collectors.downloads.exchange import Exchange
from vabhub.collectors.downloads.faults import FaultCode
from vabhub.collectors.downloads.fields import mapped, text
from vabhub.collectors.downloads.nzbget_fields import history_items, queue_items, transfer_of


class NzbgetCollector(GuardedCollector):
    """One NZBGet."""

    program = "NZBGet"
    id_pattern = re.compile(r"[0-9]{1,10}")

    def __init__(self, config: ClientConfig, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(config, monotonic=monotonic)
        auth = (config.username, config.secret) if config.secret else None
        self._exchange = Exchange(
            self.program, rpc_address(config.url), auth=auth, verify_tls=config.verify_tls
        )
        self._version: str | None = None

    @property
    def where(self) -> str:
        """Return the address without credentials."""
        return self._exchange.where

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

    def fetch(self) -> Fetched:
        """Ask for the totals, the queue and the history."""
        status = self.call("status")
        if not isinstance(status, dict):
            raise self._exchange.failed(FaultCode.WRONG_SERVICE)
        groups, history = self._list("listgroups", 0), self._list("history")
        queue = queue_items(groups, status, self.instance)
        # A job that ends between the two questions is in both; its history knows more.
        items = {item.id: item for item in (*queue, *history_items(history, self.instance))}
        # Asked each time: an updated NZBGet keeps no session that would tell.
        version = text(self.call("version"))
        return Fetched(tuple(items.values()), transfer_of(status, version))

    def act(self, action: Action, ids: Sequence[str], *, delete_files: bool) -> Mapping[str, str]:
        """Pause, resume or delete jobs; of a finished one NZBGet keeps the files."""
        queued = {str(mapped(group).get("NZBID")) for group in self._list("listgroups", 0)}
        inside = [job for job in ids if job in queued]
        rest = [job for job in ids if job not in queued]
        if action is not Action.DELETE:
            self._edit("GroupPause" if action is Action.PAUSE else "GroupResume", inside)
            return dict.fromkeys(rest, "It is not in the queue any more.")
        self._edit("GroupDelete" if delete_files else "GroupParkDelete", inside)
        if delete_files:
            return dict.fromkeys(rest, "NZBGet keeps the files of what is finished.")
        self._edit("HistoryDelete", rest)
        return {}

    def _edit(self, command: str, ids: Sequence[str]) -> None:
        numbers = [int(job) for job in ids if job.isdecimal()]
        if numbers:
            self.call("editqueue", command, 0, "", numbers)

    def call(self, method: str, *params: Any) -> Any:
        """Call one method of the RPC and return its result."""
        reply = self._exchange.post(json={"method": method, "params": list(params)})
        if reply.status in (401, 403):
            raise self.refused()
        answer = self._exchange.parsed(reply)
        if answer.get("error"):
            said = text(mapped(answer["error"]).get("message")) or "no reason"
            raise self._exchange.failed(FaultCode.VERSION, said=said)
        return answer.get("result")

    def _list(self, method: str, *params: Any) -> list[Any]:
        found = self.call(method, *params)
        if not isinstance(found, list):
            raise self._exchange.failed(FaultCode.WRONG_SERVICE)
        return found


def rpc_address(url: str) -> str:
    """Return where the RPC is, whether its path was given or not."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    path = path if path.endswith("/jsonrpc") else f"{path}/jsonrpc"
    return urlunsplit(parts._replace(path=path, query="", fragment=""))

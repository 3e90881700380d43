"""Read one aria2 by one `system.multicall`. Source: aria2's manual, "RPC INTERFACE"."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from vabhub.collectors.downloads.aria2_fields import KEYS, item_of, transfer_of
from vabhub.collectors.downloads.base import Action, Capability, DownloadItem
from vabhub.collectors.downloads.collector import MOST_ITEMS, Fetched, GuardedCollector
from vabhub.collectors.downloads.config import ClientConfig
from vabhub.collectors.downloads.exchange import Exchange
from vabhub.collectors.downloads.faults import FaultCode, SourceFailed
from vabhub.collectors.downloads.fields import listed, mapped, text

_LISTS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("aria2.tellActive", ()),
    ("aria2.tellWaiting", (0, MOST_ITEMS)),
    ("aria2.tellStopped", (-1, MOST_ITEMS)),  # the newest first
)


class Aria2Collector(GuardedCollector):
    """One aria2."""

    program = "aria2"
    id_pattern = re.compile(r"[0-9a-f]{1,16}")
    capabilities = frozenset({Capability.PAUSE, Capability.RESUME, Capability.DELETE})

    def __init__(self, config: ClientConfig, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(config, monotonic=monotonic)
        self._exchange = Exchange(self.program, rpc_address(config.url), verify_tls=config.verify_tls)

    @property
    def where(self) -> str:
        """Return the address without credentials."""
        return self._exchange.where

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

    def fetch(self) -> Fetched:
        """Ask for the totals and the three lists."""
        calls = [("aria2.getVersion", ()), ("aria2.getGlobalStat", ())]
        version, stat, *lists = self.call(*calls, *((method, (*rest, KEYS)) for method, rest in _LISTS))
        items = [self._item(fields) for found in lists for fields in listed(found)]
        known = {item.id: item for item in items if item is not None}
        return Fetched(tuple(known.values()), transfer_of(mapped(stat), text(mapped(version).get("version"))))

    def act(self, action: Action, ids: Sequence[str], *, delete_files: bool) -> Mapping[str, str]:
        """Pause, resume or remove; aria2 never deletes files."""
        if action is not Action.DELETE:
            method = "aria2.forcePause" if action is Action.PAUSE else "aria2.unpause"
            return self._each(method, ids)
        running = self._each("aria2.forceRemove", ids)
        # What has ended is only a result, and what was just removed becomes one.
        ended = self._each("aria2.removeDownloadResult", ids)
        return {gid: why for gid, why in ended.items() if gid in running}

    def _each(self, method: str, ids: Sequence[str]) -> dict[str, str]:
        results = self._results(*((method, (gid,)) for gid in ids))
        failed = {
            gid: mapped(found) for gid, found in zip(ids, results, strict=True) if isinstance(found, dict)
        }
        if any(fault.get("message") == "Unauthorized" for fault in failed.values()):
            raise self.refused()
        return {gid: text(fault.get("message")) or "no reason" for gid, fault in failed.items()}

    def call(self, *calls: tuple[str, tuple[Any, ...]]) -> list[Any]:
        """Call several methods at once and return their results; one that fails raises for all."""
        return [self._unwrapped(result) for result in self._results(*calls)]

    def _results(self, *calls: tuple[str, tuple[Any, ...]]) -> list[Any]:
        token = [f"token:{self.config.secret}"] if self.config.secret else []
        wanted = [{"methodName": method, "params": [*token, *rest]} for method, rest in calls]
        question = {"jsonrpc": "2.0", "id": "vabhub", "method": "system.multicall", "params": [wanted]}
        answer = self._exchange.parsed(self._exchange.post(json=question))
        if "error" in answer:
            raise self._fault(answer["error"])
        results = answer.get("result")
        if not isinstance(results, list) or len(results) != len(calls):
            raise self._exchange.failed(FaultCode.WRONG_SERVICE)
        return results

    def _unwrapped(self, result: Any) -> Any:
        # A call that worked is a list of one, one that failed an object with a code.
        if isinstance(result, list) and len(result) == 1:
            return result[0]
        raise self._fault(result)

    def _fault(self, error: Any) -> SourceFailed:
        said = text(mapped(error).get("message"))
        if said is None:
            return self._exchange.failed(FaultCode.WRONG_SERVICE)
        if said == "Unauthorized":
            return self.refused()
        return self._exchange.failed(FaultCode.VERSION, said=said)

    def _item(self, fields: Any) -> DownloadItem | None:
        return item_of(mapped(fields), self.instance)


def rpc_address(url: str) -> str:
    """Return where the RPC is, whether its path was given or not."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    path = path if path.endswith("/jsonrpc") else f"{path}/jsonrpc"
    return urlunsplit(parts._replace(path=path, query="", fragment=""))

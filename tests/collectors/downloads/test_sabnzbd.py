"""SABnzbd's queue and history become ours."""

from __future__ import annotations

from typing import Any

import pytest

from vabhub.collectors.downloads.sabnzbd import api_address
from vabhub.collectors.downloads.sabnzbd_fields import history_items, queue_items

SLOT = {"nzo_id": "n1", "filename": "film", "status": "Downloading", "mb": "8.00", "mbleft": "2.00"}
SLOT |= {"timeleft": "1:02:03:04", "cat": "movies"}


def _queue(*slots: dict[str, Any], **fields: Any) -> list[Any]:
    named = [{**SLOT, "nzo_id": f"n{number}", **slot} for number, slot in enumerate(slots)]
    return list(queue_items({"kbpersec": "100.00", "slots": named, **fields}, "sab"))


def test_the_topmost_job_is_the_one_that_downloads() -> None:
    held, first, second = _queue({"status": "Paused"}, {}, {})
    assert [item.state for item in (held, first, second)] == ["paused", "downloading", "queued"]
    assert [item.download_bps for item in (held, first, second)] == [0, 102_400, 0]
    assert (first.eta_s, second.eta_s) == (((1 * 24 + 2) * 60 + 3) * 60 + 4, None)


def test_without_speed_the_topmost_job_is_stalled() -> None:
    (item,) = _queue({"timeleft": "0:00:00"}, kbpersec="0.00")
    assert (item.state, item.eta_s) == ("stalled", None)


def test_a_paused_queue_holds_all_its_jobs() -> None:
    assert [item.state for item in _queue({"status": "Queued"}, {}, paused=True)] == ["paused", "paused"]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("Completed", "completed"), ("Failed", "error"), ("Verifying", "checking"), ("Extracting", "moving")],
)
def test_the_history_says_how_it_ended(theirs: str, ours: str) -> None:
    slot = {"nzo_id": "n1", "name": "film", "status": theirs, "bytes": 1000, "category": "*"}
    (item,) = history_items({"slots": [slot]}, "sab")
    assert (item.state, item.size_bytes, item.category) == (ours, 1000, None)
    assert item.progress == (1.0 if ours == "completed" else None)


@pytest.mark.parametrize("path", ["", "/", "/sabnzbd", "/sabnzbd/", "/sabnzbd/api"])
def test_whichever_address_is_given_the_api_is_found(path: str) -> None:
    assert api_address(f"http://nas:8080{path}") == "http://nas:8080/sabnzbd/api"

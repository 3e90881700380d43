"""qBittorrent's fields become ours; what is not known is null."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vabhub.collectors.downloads.base import DownloadState
from vabhub.collectors.downloads.qbittorrent_fields import STATES, item_of, transfer_of

FIELDS: dict[str, Any] = {
    "name": "film.mkv",
    "state": "downloading",
    "size": 1000,
    "total_size": 1000,
    "amount_left": 250,
    "progress": 0.75,
    "dlspeed": 100,
    "upspeed": 5,
    "eta": 3,
    "ratio": 0.5,
    "category": "films",
    "added_on": 1_700_000_000,
}

MAPPING = {
    "queued": ["queuedDL"],
    "checking": ["checkingDL", "checkingUP", "checkingResumeData"],
    "metadata": ["metaDL", "forcedMetaDL"],
    "downloading": ["downloading", "forcedDL", "allocating"],
    "stalled": ["stalledDL"],
    "paused": ["pausedDL", "stoppedDL"],
    "seeding": ["uploading", "forcedUP", "stalledUP"],
    "completed": ["pausedUP", "stoppedUP", "queuedUP"],
    "moving": ["moving"],
    "error": ["error", "missingFiles"],
    "unknown": ["unknown", "a state of the future", None, 7],
}


@pytest.mark.parametrize(("ours", "theirs"), [(ours, t) for ours, all_ in MAPPING.items() for t in all_])
def test_every_state_is_mapped(ours: str, theirs: Any) -> None:
    assert item_of("h", FIELDS | {"state": theirs}, "q").state == ours


def test_the_table_of_states_is_complete() -> None:
    assert set(MAPPING) == set(DownloadState)
    assert set(STATES) < {state for states in MAPPING.values() for state in states}


def test_an_item_carries_all_fields() -> None:
    assert item_of("h", FIELDS, "q").to_json() == {
        "id": "h",
        "instance": "q",
        "name": "film.mkv",
        "state": "downloading",
        "progress": 0.75,
        "size_bytes": 1000,
        "left_bytes": 250,
        "download_bps": 100,
        "upload_bps": 5,
        "eta_s": 3,
        "ratio": 0.5,
        "category": "films",
        "added_at": "2023-11-14T22:13:20.000000Z",
    }


def test_a_magnet_without_metadata_has_no_size() -> None:
    item = item_of("h", FIELDS | {"state": "metaDL", "size": 0, "total_size": -1, "progress": 0}, "q")
    assert (item.size_bytes, item.left_bytes, item.progress) == (None, None, None)


def test_a_torrent_of_which_no_file_is_wanted_has_size_zero() -> None:
    assert item_of("h", FIELDS | {"size": 0, "total_size": 1000, "amount_left": 0}, "q").size_bytes == 0


def test_an_unknown_time_left_is_null() -> None:
    assert item_of("h", FIELDS | {"eta": 8_640_000}, "q").eta_s is None


@pytest.mark.parametrize("lie", [-1, "12", None, True, float("nan"), float("inf"), 10**30, [], {}])
def test_a_field_that_lies_is_null(lie: Any) -> None:
    names = ("size", "amount_left", "progress", "dlspeed", "upspeed", "eta", "ratio", "added_on")
    item = item_of("h", FIELDS | dict.fromkeys(names, lie), "q")
    shown = (
        item.size_bytes,
        item.left_bytes,
        item.progress,
        item.download_bps,
        item.eta_s,
        item.ratio,
        item.added_at,
    )
    assert set(shown) == {None}


_JSON = st.sampled_from([None, True, "", "x", [], {}, -1, 0, 1, 2**70, -0.5, 1e400, float("nan")])


@given(st.dictionaries(st.sampled_from([*FIELDS, "total_size"]), _JSON))
def test_no_answer_breaks_the_mapping(fields: dict[str, Any]) -> None:
    json.dumps(item_of("h", fields, "q").to_json(), allow_nan=False)
    transfer_of(fields, None)

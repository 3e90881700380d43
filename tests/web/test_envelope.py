"""The success envelope, and what JSON it holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from flask import Flask

from vabhub.clock import parse_iso
from web.envelope import Answer, success


@dataclass
class Disk:
    mount: str


def test_a_success_has_the_contract_shape(app: Flask) -> None:
    with app.app_context():
        content = success(Answer({"n": 1}, "Done.", meta={"age_s": 0})).get_json()
    assert set(content) == {"success", "message", "data", "meta", "timestamp"}
    assert (content["success"], content["message"], content["data"]) == (True, "Done.", {"n": 1})
    assert content["timestamp"].endswith("Z")
    assert abs(parse_iso(content["timestamp"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_meta_is_left_out_where_there_is_none(app: Flask) -> None:
    with app.app_context():
        assert "meta" not in success(Answer(None)).get_json()


def test_times_are_written_in_utc_and_text_as_it_is(app: Flask) -> None:
    east = datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=8)))
    data = {"at": east, "path": Path("/媒体"), "disk": Disk("/"), "scopes": frozenset({"b", "a"})}
    with app.app_context():
        response = success(Answer(data))
    assert response.get_json()["data"] == {
        "at": "2026-01-01T00:00:00.000000Z",
        "path": "/媒体",
        "disk": {"mount": "/"},
        "scopes": ["a", "b"],
    }
    assert "媒体" in response.get_data(as_text=True)


def test_a_number_that_json_cannot_say_is_unknown(app: Flask) -> None:
    with app.app_context():
        answer = success(Answer({"temperatures": [float("nan"), 41.5], "load": (float("inf"),)}))
    assert answer.get_json()["data"] == {"temperatures": [None, 41.5], "load": [None]}


def test_what_has_no_json_form_is_a_fault_and_not_a_guess(app: Flask) -> None:
    with app.app_context(), pytest.raises(TypeError, match="object has no JSON form"):
        success(Answer(object()))

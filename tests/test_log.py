"""Logs: one readable line an event, and no local variable of a failing function in them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from vabhub.log import bind, configure_logging, get_logger, unbind_all


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], _ = handlers, root.setLevel(level)
    unbind_all()
    structlog.reset_defaults()


@pytest.mark.parametrize("json_lines", [False, True])
def test_a_traceback_holds_no_local_variable(capsys: pytest.CaptureFixture[str], json_lines: bool) -> None:
    configure_logging(process="web", json_lines=json_lines)
    _fail_with_a_secret_in_a_local()
    printed = capsys.readouterr().out
    assert "test.failed" in printed
    assert "KeyError" in printed
    assert "canary" not in printed


def test_json_lines_carry_process_and_bound_ids(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(process="worker", json_lines=True)
    bind(delivery=7)
    get_logger("test").info("delivery.sent", channel="phone")
    line = json.loads(capsys.readouterr().out)
    assert (line["process"], line["delivery"], line["event"], line["channel"]) == (
        "worker",
        7,
        "delivery.sent",
        "phone",
    )


def _fail_with_a_secret_in_a_local() -> None:
    password = "".join(["can", "ary"])
    try:
        {}[len(password)]
    except LookupError:
        get_logger("test").exception("test.failed")

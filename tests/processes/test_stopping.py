"""Whatever ends the supervisor, nothing it started lives on."""

from __future__ import annotations

import signal
import time

import pytest

from tests.processes.conftest import Start
from tests.support.waiting import wait_until


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(start: Start, number: signal.Signals) -> None:
    up = start(worker="python sleeper.py with-child")
    up.wait_ready()
    wait_until(lambda: up.logs().count("sleeper runs") == 2)
    assert len(up.processes()) >= 5  # guard, redis, web, worker and its child
    up.signal(number)
    assert up.wait() == 0
    assert up.leftovers() == []
    assert up.errors() == ""


def test_a_second_interrupt_is_harmless(start: Start) -> None:
    up = start(worker="python stubborn.py")
    up.wait_ready()
    up.wait_for("stubborn runs")
    up.processes()
    up.signal(signal.SIGINT)
    up.wait_for("stopping")
    up.signal(signal.SIGINT)
    up.signal(signal.SIGTERM)
    assert up.wait() == 0
    assert up.leftovers() == []
    assert up.errors() == ""


def test_who_ignores_the_signal_is_killed_with_its_children_within_ten_seconds(start: Start) -> None:
    up = start(worker="python stubborn.py with-child")
    up.wait_ready()
    wait_until(lambda: up.logs().count("stubborn runs") == 2)
    up.processes()
    began = time.monotonic()
    up.signal(signal.SIGTERM)
    assert up.wait() == 0
    assert time.monotonic() - began < 10
    assert "worker did not stop in 8 s and is killed" in up.logs()
    assert up.leftovers() == []


def test_redis_stops_last(start: Start) -> None:
    up = start()
    up.wait_ready()
    up.stop()
    assert up.logs().rindex("User requested shutdown") > up.logs().index("stopping")


def test_a_killed_supervisor_leaves_nothing(start: Start) -> None:
    up = start(worker="python stubborn.py with-child")
    up.wait_ready()
    wait_until(lambda: up.logs().count("stubborn runs") == 2)
    assert len(up.processes()) >= 5
    up.signal(signal.SIGKILL)
    up.wait()
    wait_until(lambda: not up.leftovers(), timeout_s=5, what="all processes gone")


def test_a_stop_during_the_start_is_clean(start: Start) -> None:
    up = start(web="python sleeper.py")
    up.wait_for("sleeper runs")
    up.stop()
    assert "ready" not in up.logs().replace("is now ready to exit", "")

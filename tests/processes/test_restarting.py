"""A process that dies is started again, later each time, and said so."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.processes.conftest import Start
from tests.support.waiting import wait_until
from vabhub.supervisor import child as child_module
from vabhub.supervisor.child import Child


def test_a_killed_process_comes_back(start: Start) -> None:
    up = start(worker="python sleeper.py")
    up.wait_ready()
    first = up.named("sleeper.py")
    first.kill()
    up.wait_for("worker was killed by SIGKILL; next try in 0.5 s")
    wait_until(lambda: up.logs().count("sleeper runs") == 2)
    assert up.named("sleeper.py").pid != first.pid
    up.wait_for("worker is back (attempt 1)")
    up.stop()
    assert up.logs().count("is back") == 1


def test_only_what_stays_up_is_called_back(start: Start, tmp_path: Path) -> None:
    once = tmp_path / "third-time"
    script = f"echo x >> {once}; [ $(wc -l < {once}) -ge 3 ] && exec sleep 600; exit 3"
    up = start(worker=f"sh -c '{script}'")
    up.wait_for("worker is back (attempt 2)")
    assert up.logs().count("is back") == 1
    up.stop()


def test_the_rest_of_a_dead_process_group_is_killed_before_the_restart(start: Start) -> None:
    up = start(worker="python stubborn.py with-child")
    up.wait_ready()
    wait_until(lambda: up.logs().count("stubborn runs") == 2)
    parent = up.named("stubborn.py with-child")
    (orphan,) = parent.children()
    parent.kill()
    up.wait_for("worker was killed by SIGKILL")
    wait_until(lambda: not orphan.is_running(), what="the orphan is gone")


def test_a_killed_redis_comes_back_with_its_data(start: Start) -> None:
    up = start()
    up.wait_ready()
    up.named("redis-server").kill()
    up.wait_for("redis was killed by SIGKILL; next try in 0.5 s")
    wait_until(lambda: up.logs().count("Server initialized") == 2)
    up.stop()


def test_a_process_that_cannot_start_is_retried_with_growing_waits_and_advice(start: Start) -> None:
    up = start(worker="no-such-command", scheduler="sh -c 'exit 3'")
    up.wait_ready()
    up.wait_for("worker exited with code 127; next try in 0.5 s (the command was not found")
    up.wait_for("scheduler exited with code 3; next try in 4 s (it keeps failing")
    waits = [f"scheduler exited with code 3; next try in {wait} s" for wait in ("0.5", "1", "2", "4")]
    places = [up.logs().index(text) for text in waits]
    assert places == sorted(places)
    up.stop()


def test_the_wait_grows_to_thirty_seconds_and_starts_over_after_a_minute_of_health(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = Child("worker", ["true"], cwd=tmp_path, env={})
    now = time.monotonic()
    monkeypatch.setattr(child_module.time, "monotonic", lambda: now)
    child._started_at = now
    assert [child.schedule() for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    child._started_at = now - 60
    assert child.schedule() == 0.5


def test_lines_of_all_processes_come_whole_and_named(start: Start, tmp_path: Path) -> None:
    text = "x" * 3000
    (tmp_path / "chatty.py").write_text(
        f"import time\nfor n in range(200): print(n, {text!r})\ntime.sleep(600)"
    )
    up = start(worker="python chatty.py", scheduler="python chatty.py")
    up.wait_ready()
    wait_until(lambda: up.logs().count(" 199 ") + up.logs().count("| 199 ") >= 2)
    lines = [line for line in up.logs().splitlines() if "xxx" in line]
    assert len(lines) == 400
    names = {"worker   ", "scheduler"}
    assert all(line.partition(" | ")[0] in names and line.endswith(f" {text}") for line in lines)
    up.stop()


def test_a_line_without_an_end_is_not_lost(start: Start) -> None:
    up = start(worker='python -c \'print("last words", end="")\'')
    up.wait_for("last words")
    up.wait_for("worker exited with code 0")
    up.stop()


def test_no_colours_reach_a_pipe(start: Start) -> None:
    up = start()
    up.wait_ready()
    up.stop()
    assert "\x1b" not in up.logs()


def test_a_reader_that_went_away_stops_everything(start: Start) -> None:
    up = start(worker="sh -c 'while sleep 0.1; do echo tick; done'")
    up.wait_ready()
    up.hang_up()
    assert up.wait() == 0
    assert up.leftovers() == []


def test_a_reader_that_pauses_does_not_hold_up_the_stop(start: Start, tmp_path: Path) -> None:
    (tmp_path / "flood.py").write_text("while True: print('x' * 1000)")
    up = start(worker="python flood.py")
    up.wait_ready()
    up.pause_reading()
    up.signal(signal.SIGTERM)
    wait_until(lambda: not up.processes(), timeout_s=10, what="everything stopped")
    up.resume_reading()
    assert up.wait() == 0

"""A start that cannot work is refused in one line; one that works says where."""

from __future__ import annotations

import errno
import json
import socket
from pathlib import Path

import pytest

from tests.processes.conftest import Start
from tests.support.ports import free_port
from tests.support.redis import RedisServer
from tests.support.stack import Up
from vabhub.supervisor.plan import Plan, _cannot_listen


def refusal(up: Up) -> str:
    """Return the one line that says why; everything it started is gone."""
    assert up.wait(timeout_s=30) not in (0, None)
    assert up.leftovers() == []
    lines = up.errors().splitlines()
    assert len(lines) == 1, up.errors()
    assert lines[0].startswith("vabhub: ")
    assert "Traceback" not in up.errors() + up.logs()
    return lines[0]


def test_the_ready_line_names_the_url(start: Start) -> None:
    up = start()
    up.wait_ready()
    assert up.logs().count(f"VabHub is ready at {up.base_url}\n") == 1
    up.stop()
    assert "/setup" not in up.logs()


def test_a_first_start_says_where_the_administrator_is_made(start: Start) -> None:
    up = start(SETUP="200")
    up.wait_for(f"create the administrator at {up.base_url}/setup")
    up.stop()


def test_a_second_start_names_the_first_and_leaves_it_alone(start: Start) -> None:
    up = start()
    up.wait_ready()
    second = start(VABHUB_DATA_DIR=str(up.data_dir))
    assert f"already running at {up.base_url}" in refusal(second)
    up.stop()


def test_a_data_directory_is_free_again_after_a_kill(start: Start) -> None:
    up = start()
    up.wait_ready()
    up.kill()
    again = start(VABHUB_DATA_DIR=str(up.data_dir))
    again.wait_ready()
    again.stop()


def test_a_taken_port_is_refused(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = start(PORT=str(port))
        assert f"PORT: cannot listen on 127.0.0.1:{port}: Address already in use" in refusal(up)


def test_an_address_of_another_machine_blames_the_host(start: Start) -> None:
    line = refusal(start(HOST="192.0.2.1"))  # a documentation address, RFC 5737
    assert line.startswith("vabhub: HOST: cannot listen on 192.0.2.1:")
    assert "0.0.0.0" in line
    assert "PORT" not in line


def test_a_port_for_root_only_says_so() -> None:
    plan = Plan(data_dir="", host="127.0.0.1", port=80, redis_socket=None, json_lines=False)
    text = _cannot_listen(plan, OSError(errno.EACCES, "x"))
    assert text.startswith("PORT: cannot listen on 127.0.0.1:80: Permission denied.")
    assert "below 1024" in text


def test_a_data_directory_that_cannot_be_written_is_refused(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "VABHUB_DATA_DIR" in refusal(start(VABHUB_DATA_DIR=str(tmp_path / "file" / "data")))
    with_key = start(VABHUB_DATA_DIR="/proc/vabhub", SECRET_KEY="k" * 40)
    assert "VABHUB_DATA_DIR" in refusal(with_key)


def test_a_silent_redis_is_refused_without_its_password(start: Start) -> None:
    line = refusal(start(REDIS_URL=f"redis://user:hunter2@127.0.0.1:{free_port()}/0"))
    assert "REDIS_URL: redis://127.0.0.1" in line
    assert ".." not in line
    assert "hunter2" not in line


def test_a_name_that_is_no_setting_is_one_warning(start: Start) -> None:
    up = start(VABHUB_PORT="80", VABHUB_ZZZ="1")
    up.wait_ready()
    up.stop()
    assert up.logs().count("warning: no setting has this name: VABHUB_PORT (meant PORT?), VABHUB_ZZZ\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "x"),
        ("PORT", "eighty"),
        ("REDIS_URL", "http://x"),
        ("DATABASE_URL", "mysql://x"),
        ("VABHUB_LOCALE", "fr"),
    ],
)
def test_a_wrong_setting_is_named(start: Start, name: str, value: str) -> None:
    assert name in refusal(start(**{name: value}))


def test_a_platform_without_database_or_redis_is_refused(start: Start) -> None:
    assert "DATABASE_URL is missing" in refusal(start(DYNO="web.1"))


def test_a_database_that_does_not_answer_is_refused(start: Start) -> None:
    url = f"postgresql://u:hunter2@127.0.0.1:{free_port()}/x"
    line = refusal(start(release="python -m vabhub migrate", DATABASE_URL=url))
    assert "DATABASE_URL" in line
    assert "hunter2" not in line


def test_a_failed_migration_is_refused_with_its_last_line(start: Start) -> None:
    up = start(release="sh -c 'echo first; echo the disk is full >&2; exit 9'")
    assert "the disk is full" in refusal(up)


def test_no_redis_to_be_found_says_what_to_install(start: Start, tmp_path: Path) -> None:
    hide = tmp_path / "sitecustomize.py"
    hide.write_text("from vabhub import redis_server\nredis_server.find_server = lambda: None\n")
    root = Path(__file__).resolve().parents[2]
    up = start(PYTHONPATH=f"{tmp_path}:{root}")
    assert "apt-get install redis-server" in refusal(up)


def test_another_redis_is_used_and_none_started(start: Start, redis_server: RedisServer) -> None:
    up = start(REDIS_URL=redis_server.url)
    up.wait_ready()
    assert "redis " not in up.logs()
    assert not (up.data_dir / "redis").exists()
    up.stop()


def test_json_lines_stay_json(start: Start) -> None:
    up = start(VABHUB_LOG_FORMAT="json")
    up.wait_ready()
    up.stop()
    said = [json.loads(line) for line in up.logs().splitlines()]
    assert {line["process"] for line in said} == {"vabhub", "web", "redis"}


def test_a_long_data_directory_gets_a_short_socket(start: Start, tmp_path: Path) -> None:
    up = start(VABHUB_DATA_DIR=str(tmp_path / ("long" * 30)))
    up.wait_ready()
    up.stop()


def test_a_procfile_without_processes_is_refused(start: Start) -> None:
    assert "names no process" in refusal(start(web=None))

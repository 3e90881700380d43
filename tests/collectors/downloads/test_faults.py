"""Every way in which an address can be wrong has a name and says what to do; none hangs or hammers."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from tests.collectors.downloads.conftest import Clock, qbittorrent_at
from tests.support.ports import free_port
from tests.support.scripted_http import Answer, answer, scripted_http
from vabhub.collectors.downloads import Reading, qbittorrent_api


def _read(url: str) -> Reading:
    return qbittorrent_at(url, "user", "a secret").read()


def _code(url: str) -> str:
    reading = _read(url)
    assert reading.fault is not None
    assert "a secret" not in reading.fault.text
    return reading.fault.code


def _break_off(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b'{"rid": 1')


def _drip(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    for _ in range(600):
        request.wfile.write(b" ")
        request.wfile.flush()
        time.sleep(0.05)
    ended.set()


ended = threading.Event()
LOGIN_PAGE = answer(200, b"<html>Please log in</html>", Content_Type="text/html")


@pytest.mark.parametrize(
    ("code", "sent"),
    [
        ("WRONG_SERVICE", LOGIN_PAGE),
        ("WRONG_SERVICE", answer(200, b"[]")),
        ("WRONG_SERVICE", answer(200, b'{"no": "rid"}')),
        ("WRONG_SERVICE", answer(200, b'{"rid": 1')),
        ("WRONG_SERVICE", answer(302, Location="http://127.0.0.1:1/login")),
        ("WRONG_SERVICE", answer(418)),
        ("WRONG_SERVICE", _break_off),
        ("WRONG_PATH", answer(404, b"Not Found")),
        ("HOST_REFUSED", answer(401, b"Unauthorized")),
        ("UPSTREAM", answer(502, b"Bad Gateway")),
        ("UPSTREAM", answer(500)),
    ],
)
def test_a_wrong_answer_has_a_name_and_is_asked_for_once(code: str, sent: Answer) -> None:
    with scripted_http(lambda _path: sent) as (url, asked):
        assert _code(url) == code
        assert asked == ["/api/v2/sync/maindata"]


def test_a_login_that_does_not_hold_is_named() -> None:
    script = _by_path(login=answer(200, b"Ok."), other=answer(403, b"Forbidden"))
    with scripted_http(script) as (url, asked):
        assert _code(url) == "UPSTREAM"
        assert asked.count("/api/v2/auth/login") == 1


@pytest.mark.parametrize("refusal", [answer(200, b"Fails."), answer(401, b"")])
def test_both_forms_of_a_refused_password_are_understood(refusal: Answer) -> None:
    with scripted_http(_by_path(login=refusal, other=answer(403))) as (url, asked):
        assert _code(url) == "CREDENTIALS"
        assert asked.count("/api/v2/auth/login") == 1


def test_a_login_whose_answer_is_lost_is_not_repeated_at_once() -> None:
    with scripted_http(_by_path(login=_break_off, other=answer(403))) as (url, asked):
        _code(url)
        assert asked.count("/api/v2/auth/login") == 1


def test_nothing_listening_is_refused() -> None:
    assert _code(f"http://127.0.0.1:{free_port()}") == "REFUSED"


def test_an_unknown_name_is_dns() -> None:
    assert _code("http://no-such-host.invalid:8080") == "DNS"


@pytest.mark.parametrize(
    "url", ["http://", "http://[::1", "http://a b:80", "http://127.0.0.1:99999", "ftp://x"]
)
def test_an_address_that_is_none_is_named(url: str) -> None:
    assert _code(url) in ("BAD_URL", "DNS")


def test_speaking_tls_to_a_plain_port_is_tls() -> None:
    with scripted_http(lambda _path: LOGIN_PAGE) as (url, _):
        assert _code(url.replace("http:", "https:")) == "TLS"


def test_a_silent_server_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qbittorrent_api, "READ_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert _code(f"http://127.0.0.1:{silent.getsockname()[1]}") == "TIMEOUT"


def test_a_dripping_server_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qbittorrent_api, "LONGEST_ANSWER_S", 0.3)
    with scripted_http(lambda _path: _drip) as (url, _):
        assert _code(url) == "TIMEOUT"
        assert not ended.is_set()


def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qbittorrent_api, "LARGEST_ANSWER_BYTES", 100_000)
    with scripted_http(lambda _path: answer(200, b" " * 300_000)) as (url, _):
        assert _code(url) == "WRONG_SERVICE"


def test_credentials_in_the_address_are_not_shown() -> None:
    reading = _read(f"http://me:hidden@127.0.0.1:{free_port()}/qb")
    assert reading.fault is not None
    assert "hidden" not in reading.fault.text
    assert "127.0.0.1" in reading.fault.text


def test_a_failing_client_is_asked_less_and_less_often(clock: Clock) -> None:
    with scripted_http(lambda _path: answer(500)) as (url, asked):
        collector = qbittorrent_at(url, "user", "a secret", monotonic=clock)
        times = []
        for _ in range(130):
            before = len(asked)
            collector.read()
            times += [clock.now] if len(asked) > before else []
            clock.now += 1
    assert [later - sooner for sooner, later in itertools.pairwise(times)] == [
        2,
        4,
        8,
        16,
        30,
        30,
        30,
    ]


def test_a_recovered_client_is_asked_every_time_again(clock: Clock) -> None:
    good = answer(200, json.dumps({"rid": 1, "full_update": True, "torrents": {}}).encode())
    answers = [answer(500), good, good, good, good]
    with scripted_http(lambda _path: answers.pop(0)) as (url, _):
        collector = qbittorrent_at(url, "user", "a secret", monotonic=clock)
        assert collector.read().fault is not None
        clock.now += 2
        assert collector.read().fault is None
        assert collector.read().fault is None


@pytest.mark.parametrize(
    "odd",
    [
        {"torrents": []},
        {"torrents": {"h": None}},
        {"torrents": {"h": {"state": 7, "size": "big"}}},
        {"torrents_removed": {"h": 1}},
        {"torrents_removed": [None, 7]},
        {"server_state": "fine"},
    ],
)
def test_odd_parts_of_an_answer_are_survived(odd: dict[str, object]) -> None:
    body = json.dumps({"rid": 1, "full_update": True, **odd}).encode()
    with scripted_http(lambda _path: answer(200, body)) as (url, _):
        assert _read(url).fault is None


def _by_path(*, login: Answer, other: Answer) -> Callable[[str], Answer]:
    return lambda path: login if path.endswith("/auth/login") else other

"""What every download client's collector promises, whatever the other side does."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.contracts.downloads.fakes import FAKES, LEFT, SECRET, SIZE, Fake, break_off
from tests.support.ports import free_port
from tests.support.scripted_http import Answer, answer, scripted_http
from tests.support.tls import home_made_certificate
from vabhub.collectors.downloads import (
    Reading,
    collector,
    collector_of,
    credentials,
    exchange,
    qbittorrent_api,
)
from vabhub.collectors.downloads.collector import ClientCollector

Script = Callable[[str], Answer]


class Clock:
    """A monotonic clock that stands still until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _fresh_memory(redis: None) -> Iterator[None]:
    credentials._refused.clear()
    yield
    credentials._refused.clear()
    while _opened:
        _opened.pop().close()


_opened: list[ClientCollector] = []


@pytest.fixture(params=FAKES, ids=lambda fake: fake.kind.value)
def fake(request: pytest.FixtureRequest) -> Fake:
    """Each program in its turn."""
    made: Fake = request.param()
    return made


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate of its own making."""
    return home_made_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def clock() -> Clock:
    """A clock for the pauses between attempts."""
    return Clock()


def _collector(fake: Fake, url: str, clock: Clock | None = None) -> ClientCollector:
    made = collector_of(fake.config(url))
    made._monotonic = clock or made._monotonic
    _opened.append(made)
    return made


def _read(fake: Fake, script: Script) -> tuple[Reading, list[str]]:
    with scripted_http(script) as (url, asked):
        reading = _collector(fake, url).read()
    if reading.fault is not None:
        assert SECRET not in reading.fault.text
        assert url in reading.fault.text or "qBittorrent" in reading.fault.text
    return reading, asked


def _code(fake: Fake, script: Script) -> str | None:
    fault = _read(fake, script)[0].fault
    return None if fault is None else fault.code


def test_a_good_answer_is_read(fake: Fake) -> None:
    reading, _ = _read(fake, fake.script)
    assert reading.fault is None
    (item,) = reading.items
    assert (item.instance, item.name, item.state) == (fake.kind, "film", "downloading")
    assert (item.size_bytes, item.left_bytes, item.progress) == (SIZE, LEFT, 0.75)
    assert item.download_bps in (100, 102)  # SABnzbd writes hundredths of a KiB
    assert (reading.transfer.version or "").removeprefix("v") == "1.0"


def test_a_state_that_nobody_knows_is_unknown(fake: Fake) -> None:
    fake.changes = {"state": "warping", "status": "Warping", "Status": "WARPING"}
    (item,) = _read(fake, fake.script)[0].items
    assert item.state == "unknown"


LIES: tuple[Any, ...] = (-1, "-1", "8e9", None, True, 10**30, [], {}, float("nan"))


def test_sizes_that_lie_are_null(fake: Fake) -> None:
    fields = (
        "size",
        "amount_left",
        "progress",
        "sizeWhenDone",
        "leftUntilDone",
        "percentDone",
        "mb",
        "mbleft",
    )
    fields += ("totalLength", "completedLength", "FileSizeLo", "RemainingSizeLo")
    with scripted_http(fake.script) as (url, _):
        for lie in LIES:
            fake.changes = dict.fromkeys(fields, lie)
            (item,) = _collector(fake, url).read().items
            assert (item.size_bytes, item.left_bytes, item.progress) == (None, None, None), lie


def test_names_that_are_no_text_can_be_stored(fake: Fake) -> None:
    name = "half \udce9 of a pair\x00"
    fake.changes = dict.fromkeys(("name", "filename", "NZBName"), name) | {"files": [{"path": f"/d/{name}"}]}
    (item,) = _read(fake, fake.script)[0].items
    assert item.name == "half ? of a pair"


def test_more_items_than_are_read_at_once_are_refused(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "MOST_ITEMS", 500)
    fake.count = 501
    assert _code(fake, fake.script) == "TOO_LARGE"


def test_an_endless_answer_is_cut(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "LARGEST_ANSWER_BYTES", 100_000)
    monkeypatch.setattr(qbittorrent_api, "LARGEST_ANSWER_BYTES", 100_000)
    script: Script = lambda _path: answer(200, b" " * 3_000_000)  # noqa: E731
    assert _code(fake, script) in ("TOO_LARGE", "WRONG_SERVICE")


def test_a_silent_server_is_a_timeout(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "READ_TIMEOUT_S", 0.2)
    monkeypatch.setattr(qbittorrent_api, "READ_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        reading = _collector(fake, f"http://127.0.0.1:{silent.getsockname()[1]}").read()
    assert reading.fault is not None and reading.fault.code == "TIMEOUT"


@pytest.mark.parametrize(
    ("code", "sent"),
    [
        ("WRONG_SERVICE", answer(200, b"<html>Please log in</html>", Content_Type="text/html")),
        ("WRONG_SERVICE", answer(200, b"[]")),
        ("WRONG_SERVICE", answer(200, b'{"no": "such"}')),
        ("WRONG_SERVICE", answer(200, b'{"result": ')),
        ("WRONG_SERVICE", answer(302, Location="http://127.0.0.1:1/login")),
        ("WRONG_SERVICE", answer(418, b"teapot")),
        ("WRONG_SERVICE", break_off),
        ("WRONG_PATH", answer(404, b"Not Found")),
        ("UPSTREAM", answer(502, b"Bad Gateway")),
    ],
)
def test_a_wrong_answer_has_a_name_and_is_asked_for_once(fake: Fake, code: str, sent: Answer) -> None:
    reading, asked = _read(fake, lambda _path: sent)
    assert reading.fault is not None
    assert reading.fault.code == code
    assert len(asked) == 1


def test_a_program_that_is_too_old_is_named(fake: Fake) -> None:
    script = fake.unknown_method()
    assert script is None or _code(fake, script) == "VERSION"


def test_a_wrong_password_is_sent_once_and_never_again(fake: Fake, clock: Clock) -> None:
    with scripted_http(fake.refusal()) as (url, asked):
        made = _collector(fake, url, clock)
        for _ in range(20):
            reading = made.read()
            clock.now += 3600
        credentials._refused.clear()  # what a restarted process knows
        again = _collector(fake, url).read()
    sent = [path for path in asked if fake.kind != "qbittorrent" or path.endswith("/login")]
    assert len(sent) == 1
    for known in (reading, again):
        assert known.fault is not None
        assert (known.fault.code, known.connection) == ("CREDENTIALS", "error")
        assert "VABHUB_X" in known.fault.text and SECRET not in known.fault.text


def test_another_password_is_tried_at_once(fake: Fake) -> None:
    with scripted_http(fake.refusal()) as (url, _):
        refused = _collector(fake, url).read().fault
        assert refused is not None and refused.code == "CREDENTIALS"
    with scripted_http(fake.script) as (url, _):
        assert _collector(fake, url).read().fault is None


def test_a_ban_is_named_and_does_not_hammer(fake: Fake, clock: Clock) -> None:
    script = fake.ban()
    if script is None:
        return  # this program bans nobody
    with scripted_http(script) as (url, asked):
        made = _collector(fake, url, clock)
        reading = made.read()
        before = len(asked)
        clock.now += 299
        made.read()
        assert len(asked) == before
    assert reading.fault is not None and reading.fault.code == "BANNED"


def test_a_client_that_is_down_keeps_its_last_values_and_comes_back(fake: Fake, clock: Clock) -> None:
    state = {"up": True}
    script: Script = lambda path: fake.script(path) if state["up"] else answer(503)  # noqa: E731
    with scripted_http(script) as (url, _):
        made = _collector(fake, url, clock)
        good = made.read()
        state["up"] = False
        down = made.read()
        state["up"] = True
        fake.version = "2.0"
        clock.now += 60
        back = made.read()
    assert good.fault is None and back.fault is None
    assert down.fault is not None and down.fault.code == "UPSTREAM"
    assert (down.items, down.collected_at) == (good.items, good.collected_at)
    assert back.items == good.items


def test_nothing_listening_is_refused_and_an_unknown_name_is_dns(fake: Fake) -> None:
    for url, code in ((f"http://127.0.0.1:{free_port()}", "REFUSED"), ("http://no-such.invalid:1", "DNS")):
        fault = _collector(fake, url).read().fault
        assert fault is not None and fault.code == code


def test_speaking_tls_to_a_plain_port_is_tls(fake: Fake) -> None:
    with scripted_http(fake.script) as (url, _):
        fault = _collector(fake, url.replace("http:", "https:")).read().fault
    assert fault is not None and fault.code == "TLS"


def test_a_home_made_certificate_is_refused_until_a_person_allows_it(fake: Fake, tls: ssl.SSLContext) -> None:
    with scripted_http(fake.script, tls=tls) as (url, _):
        fault = _collector(fake, url).read().fault
        assert fault is not None and fault.code == "TLS"
        allowed = collector_of(replace(fake.config(url), verify_tls=False))
        _opened.append(allowed)
        assert allowed.read().fault is None


def test_credentials_in_the_address_are_not_shown(fake: Fake) -> None:
    fault = _collector(fake, f"http://me:hidden@127.0.0.1:{free_port()}").read().fault
    assert fault is not None
    assert "hidden" not in fault.text and "127.0.0.1" in fault.text

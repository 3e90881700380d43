"""A real NZBGet is read while it fetches from a news server: a real transfer, a failure, a wrong password."""

from __future__ import annotations

import os

from tests.collectors.downloads.conftest import Clock, config_of, named, reader
from tests.support.nntp import NewsServer
from tests.support.nzbget import NzbgetServer
from tests.support.waiting import wait_until
from vabhub.collectors.downloads import Action


def test_a_real_transfer_a_failure_and_a_pause(nzbget: NzbgetServer, news: NewsServer) -> None:
    collector = reader(config_of(nzbget))
    content = os.urandom(2 * 1024 * 1024)
    nzbget.add("film", news.post("film.bin", content), category="Movies")
    nzbget.add("gone", news.post("gone.bin", os.urandom(200_000), missing=True))
    nzbget.add("held", news.post("held.bin", os.urandom(200_000)), paused=True)

    def states() -> dict[str, str]:
        return {item.name: item.state.value for item in collector.read().items}

    wait_until(lambda: states().get("film") == "downloading")
    running = named(collector, "film")
    assert running and (running.size_bytes, running.category) == (len(content), "Movies")
    wait_until(lambda: states() == {"film": "completed", "gone": "error", "held": "paused"}, timeout_s=60)
    done, failed = named(collector, "film"), named(collector, "gone")
    assert done and (done.progress, done.left_bytes) == (1.0, 0)
    assert failed and (failed.progress, failed.left_bytes) == (None, None)
    assert (nzbget.downloads / "Movies" / "film" / "film.bin").read_bytes() == content
    transfer = collector.read().transfer
    assert transfer.dl_info_data is not None and transfer.dl_info_data >= len(content)
    assert transfer.up_info_data is None


def test_it_does_what_it_is_told(nzbget: NzbgetServer, news: NewsServer) -> None:
    collector = reader(config_of(nzbget))
    number = str(nzbget.add("told", news.post("told.bin", os.urandom(200_000)), paused=True))
    assert collector.control(Action.RESUME, [number, "99999"]) == {
        "99999": "It is not in the queue any more."
    }
    wait_until(lambda: named(collector, "told").state == "completed", timeout_s=60)
    kept = collector.control(Action.DELETE, [number], delete_files=True)
    assert kept == {number: "NZBGet keeps the files of what is finished."}
    assert collector.control(Action.DELETE, [number]) == {}
    wait_until(lambda: named(collector, "told") is None)
    assert (nzbget.downloads / "told" / "told.bin").exists()


def test_a_wrong_password_is_sent_once(nzbget: NzbgetServer, clock: Clock) -> None:
    collector = reader(config_of(nzbget, secret="wrong"), clock)
    for _ in range(3):
        fault = collector.read().fault
        assert fault is not None and fault.code == "CREDENTIALS"
        clock.now += 3600
    log = (nzbget.directory / "output.log").read_text(errors="replace")
    assert log.lower().count("wrong") + log.lower().count("denied") <= 1

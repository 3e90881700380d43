"""A tier that is down, bytes that nobody wrote, and what processes tell one another."""

from __future__ import annotations

import pickle
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.redis import RedisServer
from tests.support.stack import ROOT
from tests.support.tiers import patient_database, patient_redis
from tests.support.waiting import wait_until
from vabhub import redis_client
from vabhub.cache import Tiers, codec
from vabhub.cache.database import DatabaseTier
from vabhub.cache.entry import make_entry
from vabhub.cache.memory import Memory
from vabhub.cache.redis_tier import CHANNEL, DATA, RedisTier
from vabhub.db import reading, transaction
from vabhub.models import CacheRow
from vabhub.redis_client import get_redis
from vabhub.settings import Settings, use_settings


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("/tmp/vabhub-was-here"),))  # type: ignore[return-value]


JUNK = (
    b"",
    b"\x01",
    b"junk",
    pickle.dumps(Trap()),
    b'{"value": 1}',
    b"\x02" + codec.pack(make_entry(1, 60, now=1e9))[1:],
    codec.pack(make_entry([1, 2, 3], 60, now=1e9))[:-1],
    codec.pack(make_entry(1, 60, now=1e9)) + b"x",
    codec._HEAD.pack(1, 1) + b"\x94\xc0\xc0\xc0\xc0",
    codec._HEAD.pack(1, 1) + b"\x94\x01\x01\x01\xc7\x01\x63a",
    codec._HEAD.pack(1, 1) + b"\x94\x01\x01\x01" + b"\xdd\xff\xff\xff\xff",
)


@pytest.fixture
def own_redis(sqlite: Settings, tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that may be stopped."""
    server = RedisServer(tmp_path / "own")
    server.start()
    redis_client.close()
    use_settings(sqlite.model_copy(update={"redis_url": server.url}))
    yield server
    redis_client.close()
    server.remove()
    use_settings(sqlite)


@pytest.fixture
def pair(sqlite: Settings, redis: None) -> Iterator[tuple[Tiers, Tiers]]:
    """The stores of two processes, both of which hear the other."""
    made = [Tiers(Memory(), patient_redis(), patient_database(), listens=True) for _ in range(2)]
    for tiers in made:
        tiers.start()
    wait_until(lambda: all(tiers.hears for tiers in made), what="both listen")
    yield made[0], made[1]
    for tiers in made:
        tiers.close()


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_bytes_that_nobody_wrote_are_a_miss_and_go_away(sqlite: Settings, redis: None, junk: bytes) -> None:
    tier, deep = patient_redis(), patient_database()
    get_redis().set(f"{DATA}k:1", junk)
    with transaction() as session:
        session.add(CacheRow(key="k:1", prefix="k", value=junk, built_at=1, sequence=0, kept_until=2**62))
    assert [tier.get("k:1"), deep.get("k:1")] == [None, None]
    assert (tier.corrupt, deep.corrupt) == (1, 1)
    assert get_redis().get(f"{DATA}k:1") is None
    assert deep.flush()
    with reading() as session:
        assert session.get(CacheRow, "k:1") is None
    assert not Path("/tmp/vabhub-was-here").exists()
    deep.close()


@pytest.mark.parametrize("fault", ["stopped", "frozen"])
def test_a_redis_that_is_down_is_left_out_and_comes_back(own_redis: RedisServer, fault: str) -> None:
    tiers = Tiers(Memory(), RedisTier(), patient_database())
    assert tiers.redis is not None
    _set_for_sure(tiers, "k:1")
    own_redis.stop() if fault == "stopped" else own_redis.signal(signal.SIGSTOP)
    tiers.memory.delete_prefix("")
    assert tiers.get("k:1") is not None, "the database has it"
    assert tiers.set("k:2", "meanwhile", 600)
    assert tiers.get("k:2").value == "meanwhile"  # type: ignore[union-attr]
    assert tiers.redis.health.failures >= 1
    assert not tiers.redis.health.is_up
    own_redis.start() if fault == "stopped" else own_redis.signal(signal.SIGCONT)
    wait_until(lambda: tiers.redis.put("k:3", make_entry(1, 60, now=tiers.now())), what="it is asked again")  # type: ignore[union-attr]
    assert tiers.redis.health.is_up
    tiers.close()


def test_what_was_invalidated_while_redis_was_down_stays_invalidated(own_redis: RedisServer) -> None:
    tiers = Tiers(Memory(), RedisTier(), patient_database())
    for key in ("k:1", "k:2", "other:1"):
        _set_for_sure(tiers, key)
    own_redis.signal(signal.SIGSTOP)
    tiers.delete("k:1")
    tiers.delete_prefix("other:")
    own_redis.signal(signal.SIGCONT)
    tiers.memory.delete_prefix("")
    assert tiers.redis is not None
    redis_tier = tiers.redis
    wait_until(lambda: redis_tier.get("k:2"), what="it is asked again")
    assert (tiers.get("k:1"), tiers.get("other:1")) == (None, None)
    assert get_redis().exists(f"{DATA}k:1", f"{DATA}other:1") == 0
    tiers.close()


def test_a_locked_database_is_left_out_and_written_later(sqlite: Settings, redis: None) -> None:
    tiers = Tiers(Memory(), None, DatabaseTier())
    lock = sqlite3.connect(sqlite.data_dir / "vabhub.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    tiers.set("k:1", "kept", 600)
    tiers.memory.delete_prefix("")
    assert tiers.get("k:1").value == "kept", "what waits to be written counts"  # type: ignore[union-attr]
    tiers.delete("k:1")
    assert tiers.get("k:1") is None
    tiers.set("k:2", "kept", 600)
    lock.execute("ROLLBACK")
    lock.close()
    assert tiers.database is not None
    assert tiers.database.flush(30)
    with reading() as session:
        assert {row.key for row in session.query(CacheRow)} == {"k:2"}
    tiers.close()


def test_an_invalidation_reaches_the_memory_of_every_process(pair: tuple[Tiers, Tiers]) -> None:
    one, other = pair
    for key in ("k:1", "k:2", "p:1"):
        one.set(key, "old", 600)
        assert other.get(key).value == "old"  # type: ignore[union-attr]
    one.delete("k:1")
    one.delete_prefix("p:")
    one.set("k:2", "new", 600)
    wait_until(lambda: not other.memory.slots, what="the other has heard it")
    assert (other.get("k:1"), other.get("p:1")) == (None, None)
    assert other.get("k:2").value == "new"  # type: ignore[union-attr]


def test_a_pushed_value_is_in_every_memory_before_anybody_asks(pair: tuple[Tiers, Tiers]) -> None:
    one, other = pair
    one.put("k:1", make_entry({"n": 1}, 60, now=one.now()), shared=True, tell="entry")
    wait_until(lambda: "k:1" in other.memory.slots, what="the other has it")
    assert other.get("k:1").value == {"n": 1}  # type: ignore[union-attr]
    assert other.get("k:1").value is other.get("k:1").value, "shared, so one object"  # type: ignore[union-attr]


def test_each_loss_of_redis_is_noticed(own_redis: RedisServer) -> None:
    tiers = Tiers(Memory(), RedisTier(), listens=True)
    tiers.start()
    for _ in range(2):
        wait_until(lambda: tiers.hears, what="it hears")
        own_redis.stop()
        wait_until(lambda: not tiers.hears, what="it knows that it hears nothing")
        own_redis.start()
    tiers.close()


def test_messages_that_nobody_sent_are_left_alone(pair: tuple[Tiers, Tiers]) -> None:
    one, other = pair
    for junk in (b"", b"\xff", codec.pack_value([b"x", "entry", ["k", b"junk", True]]), pickle.dumps(Trap())):
        get_redis().publish(CHANNEL, junk)
    other.get("k:1")
    one.set("k:1", 1, 60)
    assert other.get("k:1").value == 1  # type: ignore[union-attr]
    one.delete("k:1")
    wait_until(lambda: "k:1" not in other.memory.slots, what="it still listens")


def test_old_rows_are_swept(sqlite: Settings) -> None:
    tier = patient_database()
    tier.put("k:1", make_entry(1, 600, now=tier._now()))
    tier.put("k:2", make_entry(1, 600, now=tier._now() - 599.9))
    assert tier.flush()
    wait_until(lambda: tier.sweep() == 1, what="the old one has gone")
    assert tier.usage()["k"].entries == 1
    tier.close()


def _set_for_sure(tiers: Tiers, key: str) -> None:
    """Keep a value also in Redis: on a busy machine even a healthy one may need more than 45 ms."""
    redis_tier = tiers.redis
    assert redis_tier is not None
    wait_until(lambda: tiers.set(key, "before", 600) and redis_tier.get(key), what="Redis has it")


PROGRAM = """
import sys, threading
from tests.support.tiers import patient_database, patient_redis
from vabhub.cache import Tiers, cached, store, use_store
from vabhub.cache.memory import Memory
from vabhub.redis_client import get_redis

use_store(Tiers(Memory(), patient_redis(), patient_database(), listens=True))

@cached(ttl=60, key_prefix="shared", wait=60)
def build():
    get_redis().incr("builds")
    import time; time.sleep(0.3)
    return {"n": 1}

get_redis().incr("ready")
while int(get_redis().get("ready")) < 3: pass
answers = []
threads = [threading.Thread(target=lambda: answers.append(build())) for _ in range(50)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert answers == [{"n": 1}] * 50, answers
store().close()
"""


def test_three_processes_with_fifty_callers_each_build_once(sqlite: Settings, redis: None) -> None:
    env = {
        "VABHUB_DATA_DIR": str(sqlite.data_dir),
        "REDIS_URL": sqlite.redis_url,
        "VABHUB_ENV_FILE": "/dev/null",
    }
    command = [sys.executable, "-c", PROGRAM]
    processes = [subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE) for _ in range(3)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
    assert get_redis().get("builds") == b"1"

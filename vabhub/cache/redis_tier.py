"""L2: Redis, shared by all processes. It also tells them what was invalidated, and who builds a value.

An invalidation leaves a mark with a number that only grows. A value that was read or built before the mark
is refused afterwards, so a slow build cannot bring back what was just invalidated.
"""

from __future__ import annotations

import secrets
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

import redis

from vabhub.cache import codec
from vabhub.cache.entry import Entry
from vabhub.cache.keys import prefix_of
from vabhub.cache.redis_scripts import GONE, GONE_PREFIX, PUT, RELEASE
from vabhub.cache.tier import Health, Tier, Usage
from vabhub.clock import epoch
from vabhub.redis_client import PREFIX, get_cache_redis

T = TypeVar("T")

DEFAULT_S = 3600.0
DATA = f"{PREFIX}cache:v{codec.VERSION}:"
SEQUENCE = f"{PREFIX}cache:seq"
CHANNEL = f"{PREFIX}cache:gone"
_MARK = f"{PREFIX}cache:mark:"
_PREFIX_MARKS = f"{PREFIX}cache:prefix-marks"
_LOCK = f"{PREFIX}cache:lock:"
# Nothing that was begun before a mark can still be under way when the mark is forgotten.
_MARK_MS = 600_000
_MOST_OWED = 1000
REFUSED = -1
_BATCH = 500


class RedisTier(Tier):
    """Entries in Redis. Every method answers within 50 ms, also while Redis is down."""

    name = "redis"

    def __init__(
        self,
        *,
        longest_s: float = DEFAULT_S,
        now: Callable[[], float] = epoch,
        client: Callable[[], redis.Redis] = get_cache_redis,
    ) -> None:
        self.origin = secrets.token_bytes(8)
        self.health = Health(self.name)
        self.corrupt = 0
        self._longest_s = longest_s
        self._now = now
        self._client = client
        self._owed: set[tuple[str, str]] = set()
        self._paying = threading.Lock()

    def get(self, key: str) -> Entry | None:
        """Return the entry; bytes that nobody of ours wrote are deleted and count as absent."""
        raw: Any = self._ask(lambda client: (client.get(DATA + key),))
        return None if raw is None else self._unpacked(key, raw[0])

    def sequence(self) -> int | None:
        """Return the number of the last invalidation: to be asked before a build begins. None: it is down."""
        answer: Any = self._ask(lambda client: (client.get(SEQUENCE),))
        return None if answer is None else int(answer[0] or 0)

    def put(self, key: str, entry: Entry) -> bool:
        """Keep the entry; False when a newer one is there or Redis is down."""
        sequence = self.store(key, entry)
        return sequence is not None and sequence != REFUSED

    def store(
        self,
        key: str,
        entry: Entry,
        *,
        packed: bytes | None = None,
        since: int | None = None,
        tell: bytes = b"",
    ) -> int | None:
        """Keep the entry for an hour at most, and publish `tell` in the same step; None: Redis is down.

        Returns the number of the last invalidation, or REFUSED when a newer entry is there or the key was
        invalidated after `since`.
        """
        packed = packed if packed is not None else codec.pack(entry, key)
        now = self._now()
        # The time that it may be served past its end comes on top.
        left_s = min(entry.expires_at - now, self._longest_s) + entry.stale_until - entry.expires_at
        left_ms = int(left_s * 1000)
        if left_ms <= 0:
            return REFUSED
        keys = [DATA + key, _MARK + key, _PREFIX_MARKS, SEQUENCE]
        given = "" if since is None else str(since)
        arguments = [packed, left_ms, given, int((now + 1) * 1e6), key, codec.VERSION, CHANNEL, tell]
        answer = self._ask(lambda client: _run(client, PUT, keys, arguments))
        return None if answer is None else int(answer)

    def last_mark(self, key: str) -> int:
        """Return the number of the key's last invalidation in the last ten minutes, 0 when there is none."""
        found = self._ask(lambda client: (client.get(_MARK + key), client.hgetall(_PREFIX_MARKS)))
        if found is None:
            return 0
        name = key.encode("utf-8")
        marks: dict[bytes, bytes] = found[1]  # type: ignore[assignment]
        of_prefixes = [int(number) for prefix, number in marks.items() if name.startswith(prefix)]
        return max([int(found[0] or 0), *of_prefixes])

    def delete(self, keys: Iterable[str]) -> int:
        """Forget the keys, mark them, and tell every process."""
        keys = list(keys)
        names = [name for key in keys for name in (DATA + key, _MARK + key)]
        message = message_of(self.origin, "keys", keys)
        arguments = [CHANNEL, message, _MARK_MS]
        done = self._ask(lambda client: _run(client, GONE, [SEQUENCE, *names], arguments))
        if done is None:
            self._owe(("key", key) for key in keys)
        return int(done or 0)

    def delete_prefix(self, prefix: str) -> int:
        """Forget every key that begins like this, mark the beginning, and tell every process."""
        done = self._ask(lambda client: self._delete_prefix(client, prefix))
        if done is None:
            self._owe([("prefix", prefix)])
        return int(done or 0)

    def tell(self, kind: str, what: Any) -> None:
        """Publish to every process."""
        message = message_of(self.origin, kind, what)
        self._ask(lambda client: client.publish(CHANNEL, message))

    def usage(self) -> dict[str, Usage]:
        """Return entries and bytes by prefix; it looks at every key, so not on a request's path."""
        return self._ask(self._usage) or {}

    def lock(self, key: str, longest_s: float) -> str | None:
        """Return a token when this process is to build the key, "" when another does, None when unknown."""
        token = secrets.token_hex(8)
        taken = self._ask(lambda c: (c.set(_LOCK + key, token, nx=True, px=int(longest_s * 1000)),))
        return None if taken is None else token if taken[0] else ""

    def unlock(self, key: str, token: str) -> None:
        """Give the lock back, if it is still ours."""
        self._ask(lambda client: _run(client, RELEASE, [_LOCK + key], [token]))

    def _ask(self, question: Callable[[redis.Redis], T]) -> T | None:
        if not self.health.may_ask():
            return None
        try:
            client = self._client()
            self._pay(client)
            answer = question(client)
        except (redis.RedisError, OSError) as error:
            self.health.failed(error)
            return None
        self.health.answered()
        return answer

    def _owe(self, invalidations: Iterable[tuple[str, str]]) -> None:
        # Redis still holds what was to go: it is told before it is asked anything else.
        with self._paying:
            self._owed.update(invalidations)
            if len(self._owed) > _MOST_OWED:
                self._owed = {("prefix", "")}

    def _pay(self, client: redis.Redis) -> None:
        if not self._owed:
            return
        with self._paying:
            for kind, name in list(self._owed):
                if kind == "prefix":
                    self._delete_prefix(client, name)
                else:
                    message = message_of(self.origin, "keys", [name])
                    keys = [SEQUENCE, DATA + name, _MARK + name]
                    _run(client, GONE, keys, [CHANNEL, message, _MARK_MS])
                self._owed.discard((kind, name))

    def _delete_prefix(self, client: redis.Redis, prefix: str) -> int:
        _run(client, GONE_PREFIX, [SEQUENCE, _PREFIX_MARKS], [prefix])
        count = 0
        found = _scan(client, prefix)
        while batch := list(islice(found, _BATCH)):
            count += int(client.unlink(*batch))
        client.publish(CHANNEL, message_of(self.origin, "prefix", prefix))
        return count

    def _usage(self, client: redis.Redis) -> dict[str, Usage]:
        found: dict[str, Usage] = {}
        names = _scan(client, "")
        while batch := list(islice(names, _BATCH)):
            pipeline = client.pipeline(transaction=False)
            for name in batch:
                pipeline.strlen(name)
            for name, size in zip(batch, pipeline.execute(), strict=True):
                prefix = prefix_of(name.decode("utf-8", "surrogatepass").removeprefix(DATA))
                found[prefix] = found.get(prefix, Usage()) + Usage(1, int(size) + len(name))
        return found

    def _unpacked(self, key: str, raw: bytes | None) -> Entry | None:
        if raw is None:
            return None
        try:
            entry = codec.unpack(raw)
        except codec.Corrupt:
            self.corrupt += 1
            self._ask(lambda client: client.delete(DATA + key))
            return None
        return entry if entry.is_kept(self._now()) else None


def message_of(origin: bytes, kind: str, what: Any) -> bytes:
    """Return what is published to every process; `read_message` reads it."""
    return codec.pack_value([origin, kind, what])


def read_message(raw: bytes) -> tuple[bytes, str, Any]:
    """Return origin, kind and content; raises Corrupt."""
    try:
        origin, kind, what = codec.unpack_value(raw)
    except (ValueError, TypeError, RecursionError, ArithmeticError, struct.error) as error:
        raise codec.Corrupt(str(error)[:200]) from error
    return origin, kind, what


def _scan(client: redis.Redis, prefix: str) -> Iterator[bytes]:
    escaped = "".join(f"\\{letter}" if letter in "*?[]\\" else letter for letter in prefix)
    return client.scan_iter(match=f"{DATA}{escaped}*", count=_BATCH)


def _run(client: redis.Redis, script: str, keys: list[str], arguments: list[Any]) -> Any:
    return client.register_script(script)(keys=keys, args=arguments)

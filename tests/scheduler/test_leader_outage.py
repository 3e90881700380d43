"""What becomes of the leader while Redis is away."""

from __future__ import annotations

import pytest
import redis as client

from scheduler.leader import Leader
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until


def test_last_leader_goes_on_recording_while_redis_is_away(
    own_redis: RedisServer,
) -> None:
    leader, follower = Leader(lease_s=0.3), Leader(lease_s=0.3)
    leader.renew()
    follower.renew()
    own_redis.stop()
    for member in (leader, follower):
        with pytest.raises(client.RedisError):
            member.renew()
    wait_until(lambda: leader.token is None, timeout_s=2)
    assert leader.may_record
    assert not follower.may_record

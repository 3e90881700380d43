"""What Prometheus is told about deliveries."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from tests.notify.conftest import Desk
from tests.support.sink import Answer, Sink
from vabhub.notify.metrics import DeliveryMetrics
from vabhub.notify.send import deliver


def test_metrics_come_from_rows_and_counters(desk: Desk, hook: Sink) -> None:
    hook.script.extend([Answer(200), Answer(500)])
    for _ in range(2):
        deliver(desk.delivery_id(desk.accept("hook")))
    desk.accept("hook", priority="urgent")
    registry = CollectorRegistry()
    registry.register(DeliveryMetrics())
    value = registry.get_sample_value
    assert value("vabhub_queue_depth", {"channel": "hook", "priority": "urgent"}) == 1
    assert value("vabhub_queue_depth", {"channel": "hook", "priority": "normal"}) == 1
    assert value("vabhub_attempts_total", {"outcome": "ok"}) == 1
    assert value("vabhub_attempts_total", {"outcome": "transient"}) == 1
    assert value("vabhub_retries_total") == 1
    assert value("vabhub_delivery_seconds_count") == 1
    assert value("vabhub_delivery_seconds_bucket", {"le": "+Inf"}) == 1

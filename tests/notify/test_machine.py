"""The delivery machine under random interleavings: no illegal move, no lost row, epochs only grow."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, func, select, update

from tests.notify.test_states import PROMISED
from vabhub.channels.base import Outcome, OutcomeKind
from vabhub.db import reading, transaction
from vabhub.errors import Conflict
from vabhub.models import Attempt, Delivery, Notification
from vabhub.notify.accept import NewNotification, accept
from vabhub.notify.claims import Claim, claim
from vabhub.notify.deliveries import cancel, resend, retry_delivery
from vabhub.notify.record import finish
from vabhub.notify.states import ACTIVE, DeliveryState, derive_status
from vabhub.notify.sweep import sweep_once
from vabhub.settings import Settings

FAULTS = [kind for kind in OutcomeKind if kind is not OutcomeKind.OK]


class Machine(RuleBasedStateMachine):
    """Workers claim, finish late or never, people cancel and resend, time passes, the sweep runs."""

    notifications = Bundle("notifications")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[int, tuple[str, int]] = {}
        with transaction() as session:
            session.execute(delete(Notification))

    @rule(target=notifications)
    def someone_sends(self) -> int:
        request = NewNotification(title="t", message="m", channels=["system"])
        with transaction() as session:
            return accept(session, request, source="machine").id

    @rule(target=claims, number=notifications)
    def a_worker_claims(self, number: int) -> Claim | None:
        return claim(self._delivery(number), "worker")

    @rule(held=claims)
    def an_attempt_succeeds(self, held: Claim | None) -> None:
        if held is not None:
            finish(held, Outcome(OutcomeKind.OK), to_inbox=True)

    @rule(held=claims, kind=some.sampled_from(FAULTS))
    def an_attempt_fails(self, held: Claim | None, kind: OutcomeKind) -> None:
        if held is not None:
            finish(held, Outcome(kind, "no"))

    @rule()
    def the_sweep_runs(self) -> None:
        sweep_once()

    @rule(number=notifications)
    def a_lease_runs_out(self, number: int) -> None:
        self._age(number, lease_until=Delivery.created_at)

    @rule(number=notifications)
    def a_retry_is_due(self, number: int) -> None:
        self._age(number, next_attempt_at=Delivery.created_at, hint_at=None)

    @rule(number=notifications)
    def someone_cancels(self, number: int) -> None:
        self._try(cancel, number)

    @rule(number=notifications)
    def someone_resends(self, number: int) -> None:
        self._try(resend, number)

    @rule(number=notifications)
    def someone_retries(self, number: int) -> None:
        self._try(retry_delivery, self._delivery(number))

    @invariant()
    def only_promised_moves_were_made(self) -> None:
        with reading() as session:
            rows = session.execute(select(Delivery.id, Delivery.state, Delivery.epoch)).all()
        now = {row.id: (row.state, row.epoch) for row in rows}
        assert self.before.keys() <= now.keys(), "a delivery was lost"
        for number, (state, epoch) in self.before.items():
            after, later = now[number]
            moved = (DeliveryState(state), DeliveryState(after))
            assert state == after or moved in PROMISED, moved
            assert later in {epoch, epoch + 1}
        self.before = now

    @invariant()
    def every_claim_left_an_attempt(self) -> None:
        with reading() as session:
            for row in session.scalars(select(Delivery)):
                count = select(func.count()).select_from(Attempt).where(Attempt.delivery_id == row.id)
                assert session.scalar(count) == row.epoch
                open_ones = session.scalar(count.where(Attempt.finished_at.is_(None)))
                assert open_ones == (1 if row.state == "sending" else 0)
                assert (row.lease_until is not None) == (row.state == "sending")
                assert (row.finished_at is None) == (DeliveryState(row.state) in ACTIVE)

    @invariant()
    def a_status_is_that_of_its_deliveries(self) -> None:
        with reading() as session:
            for notification in session.scalars(select(Notification)):
                found = [row.state for row in notification.deliveries]
                assert notification.status == derive_status(found)
                assert (notification.inbox_at is not None) == ("delivered" in found)

    def _delivery(self, number: int) -> int:
        with reading() as session:
            return session.scalars(select(Delivery.id).where(Delivery.notification_id == number)).one()

    def _age(self, number: int, **columns: object) -> None:
        with transaction() as session:
            chosen = Delivery.notification_id == number
            for name, value in columns.items():
                still = getattr(Delivery, name).is_not(None)
                session.execute(update(Delivery).where(chosen, still).values({name: value}))

    def _try(self, change: object, number: int) -> None:
        try:
            with transaction() as session:
                change(session, number)  # type: ignore[operator]
        except Conflict:
            pass


def test_no_interleaving_breaks_the_promise(sqlite: Settings, redis: None) -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )

"""One suite for every channel: what an answer means, and what no answer means."""

from __future__ import annotations

import ssl

import pytest

from tests.contracts.channels.cases import message
from tests.contracts.channels.conftest import TABLE
from tests.contracts.channels.harness import EXPECTED, HttpHarness
from tests.contracts.channels.providers import PROVIDERS
from tests.contracts.channels.smtp_harness import EXPECTED_OF_MAIL, NOT_FOR_MAIL, SmtpHarness
from vabhub.channels import http
from vabhub.channels.base import OutcomeKind as Kind
from vabhub.channels.registry import kinds, make

MAIL = "email"
NEED_A_DATABASE = {"push"}


def test_every_channel_is_in_the_suite() -> None:
    assert {*PROVIDERS, MAIL, "system"} == set(kinds())


@pytest.mark.parametrize("case", EXPECTED)
@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_channel_says_what_became_of_the_message(
    kind: str,
    case: str,
    tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if kind in NEED_A_DATABASE:
        request.getfixturevalue("sqlite")
    harness = HttpHarness(kind, PROVIDERS[kind], tls, monkeypatch)
    outcome = harness.run(case)
    TABLE[kind, case] = outcome.kind.value
    assert outcome.kind is PROVIDERS[kind].expects.get(case, EXPECTED[case]), outcome
    assert len(outcome.text) <= http.MAX_ANSWER_BYTES
    if case in {"success", "redirect", "429, wait in header"}:
        assert len(harness.requests) == 1
    if case == "429, wait in header":
        assert outcome.retry_after_s == 7
    if case == "429, wait in body":
        assert outcome.retry_after_s is not None
        assert outcome.retry_after_s >= PROVIDERS[kind].wait_s
    if case == "redirect":
        assert "/elsewhere" in outcome.text


@pytest.mark.parametrize("case", [case for case in EXPECTED if case not in NOT_FOR_MAIL])
def test_mail_says_what_became_of_the_message(
    case: str, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = SmtpHarness(tls, monkeypatch).run(case)
    TABLE[MAIL, case] = outcome.kind.value
    assert outcome.kind is EXPECTED_OF_MAIL.get(case, EXPECTED[case]), outcome
    assert len(outcome.text) <= http.MAX_ANSWER_BYTES


def test_the_inbox_has_it_when_it_is_stored() -> None:
    outcome = make("system", {}).send(message())
    TABLE["system", "success"] = outcome.kind.value
    assert outcome.kind is Kind.OK

"""One suite for every channel: what an answer means, and what no answer means."""

from __future__ import annotations

import ssl

import pytest

from tests.contracts.channels.conftest import TABLE
from tests.contracts.channels.harness import EXPECTED, HttpHarness
from tests.contracts.channels.providers import PROVIDERS
from vabhub.channels import http
from vabhub.channels.registry import kinds

# Their transport is another; see their own files.
ELSEWHERE = {"email", "system"}
NEED_A_DATABASE = {"push"}


def test_every_channel_is_in_the_suite() -> None:
    assert set(PROVIDERS) | ELSEWHERE == set(kinds())


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

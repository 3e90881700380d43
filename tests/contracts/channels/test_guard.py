"""No channel calls the hub itself or a cloud's metadata; the home network is allowed."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from tests.contracts.channels.cases import message
from tests.contracts.channels.harness import unanswering
from tests.contracts.channels.providers import PROVIDERS
from tests.support.sink import Sink
from vabhub.channels import guard, http, requests_bridge
from vabhub.channels.base import Outcome
from vabhub.channels.base import OutcomeKind as Kind
from vabhub.channels.registry import make
from vabhub.errors import ValidationFailed
from vabhub.notify import channels_admin
from vabhub.settings import Settings, load_settings, use_settings

METADATA = (
    "169.254.169.254",
    "169.254.170.2",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "169.254.169.254.",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[fd00:ec2::254]",
    "100.100.100.200",
    "168.63.129.16",
    "metadata.google.internal",
    "Metadata.Google.Internal.",
)
ALLOWED = (
    "192.168.1.10",
    "10.0.0.5",
    "172.16.0.9",
    "[fd12:3456::1]",
    "example.com",
    "nas.local",
    "127.0.0.1",
)


@pytest.fixture(autouse=True)
def _settings(settings: Settings) -> None:
    """The hub's port is the usual one."""


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A DNS of the test's own: what each further question for a name is answered with."""
    answers: dict[str, list[str]] = {}
    requests_bridge.install()  # once a process, so before what is put back after the test
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *more: Any, **options: Any) -> Any:
        if host not in answers:
            return real(host, port, *more, **options)
        address = answers[host].pop(0) if len(answers[host]) > 1 else answers[host][0]
        return real(address, port, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return answers


@pytest.mark.parametrize("host", METADATA)
def test_a_clouds_metadata_is_refused_when_it_is_saved_and_when_it_is_called(host: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        make("webhook", {"url": f"http://{host}/latest/meta-data"})
    (error,) = caught.value.errors
    assert (error.field, error.code) == ("settings.url", "refused_address")
    assert "VABHUB_OUTBOUND_ALLOW" in error.message
    outcome = http.request("POST", f"http://{host}/")
    assert isinstance(outcome, Outcome)
    assert outcome.kind is Kind.PERMANENT_CHANNEL


@pytest.mark.parametrize("host", ALLOWED)
def test_the_home_network_and_the_world_are_allowed(host: str) -> None:
    make("webhook", {"url": f"http://{host}/hook"})


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "[::1]", "0.0.0.0", "2130706433", "[::ffff:127.0.0.1]"]
)
def test_the_hub_itself_is_refused(host: str) -> None:
    with pytest.raises(ValidationFailed):
        make("webhook", {"url": f"http://{host}:8000/api/notifications"})
    make("webhook", {"url": f"http://{host}:8001/"})


def test_the_hub_is_found_out_by_any_address_of_this_machine(names: dict[str, list[str]]) -> None:
    names["hub.example"] = ["127.0.0.1"]
    outcome = http.request("POST", "http://hub.example:8000/api/notifications")
    assert isinstance(outcome, Outcome)
    assert outcome.kind is Kind.PERMANENT_CHANNEL
    assert "VabHub itself" in outcome.text


def test_a_name_is_looked_at_when_it_is_called(names: dict[str, list[str]]) -> None:
    names["sneaky.example"] = ["169.254.169.254"]
    outcome = make("webhook", {"url": "http://sneaky.example/"}).send(message())
    assert outcome.kind is Kind.PERMANENT_CHANNEL
    with pytest.raises(guard.Refused):
        guard.connect("sneaky.example", 25, 1)


def test_a_name_that_changes_its_mind_is_called_where_it_was_looked_up(
    names: dict[str, list[str]], sink: Sink
) -> None:
    port = sink.url.rpartition(":")[2]
    names["rebound.example"] = ["127.0.0.1", "169.254.169.254"]
    assert make("webhook", {"url": f"http://rebound.example:{port}/"}).send(message()).kind is Kind.OK
    assert len(sink.requests) == 1
    assert sink.requests[0].headers["host"] == f"rebound.example:{port}"


@pytest.mark.parametrize("first", ["refuses", "says nothing"])
def test_a_name_of_several_addresses_is_called_at_the_next_where_one_does_not_answer(
    first: str, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(sink.url.rpartition(":")[2])
    monkeypatch.setattr(guard, "look_up", lambda _host, _port: ["127.0.0.2", "127.0.0.1"])
    monkeypatch.setattr(http.client(), "timeout", httpx.Timeout(5, connect=0.2))
    with ExitStack() as stack:
        if first == "says nothing":
            stack.enter_context(unanswering("127.0.0.2", port))
        outcome = make("webhook", {"url": f"http://two.example:{port}/"}).send(message())
    assert outcome.kind is Kind.OK


@pytest.mark.parametrize("kind", sorted(set(PROVIDERS) - {"push"}))  # its addresses are the browsers' own
def test_no_kind_calls_a_clouds_metadata(kind: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        make(kind, PROVIDERS[kind].settings("http://169.254.169.254"))
    assert caught.value.errors[0].code == "refused_address"


def test_mail_does_neither(names: dict[str, list[str]]) -> None:
    given = {"smtp_host": "169.254.169.254", "from_email": "a@example.com", "to_email": "b@example.com"}
    with pytest.raises(ValidationFailed):
        make("email", given)
    names["mail.example"] = ["169.254.169.254"]
    for tls in ("none", "tls"):
        outcome = make("email", given | {"smtp_host": "mail.example", "smtp_tls": tls}).send(message())
        assert outcome.kind is Kind.PERMANENT_CHANNEL


@pytest.mark.parametrize("scheme", ["json", "mailto"])
def test_a_service_of_apprises_does_neither_whatever_it_speaks(
    names: dict[str, list[str]], scheme: str
) -> None:
    names["sneaky.example"] = ["169.254.169.254"]
    url = f"{scheme}://ada:pass@sneaky.example?from=a@example.org&to=b@example.org&smtp=sneaky.example"
    outcome = make("apprise", {"url": url}).send(message())
    assert outcome.kind is Kind.PERMANENT_CHANNEL
    assert "credentials" in outcome.text


def test_what_is_listed_may_be_called_all_the_same(settings: Settings) -> None:
    variables = {
        "VABHUB_DATA_DIR": str(settings.data_dir),
        "VABHUB_OUTBOUND_ALLOW": "169.254.7.0/24,127.0.0.1",
    }
    use_settings(load_settings(variables))
    make("webhook", {"url": "http://169.254.7.7/"})
    make("webhook", {"url": "http://127.0.0.1:8000/"})
    with pytest.raises(ValidationFailed):
        make("webhook", {"url": "http://169.254.169.254/"})


def test_a_name_is_looked_up_when_it_is_saved(names: dict[str, list[str]]) -> None:
    names["sneaky.example"] = ["169.254.169.254"]
    with pytest.raises(ValidationFailed) as caught:
        channels_admin.refuse_addresses({"url": "https://sneaky.example/x", "headers": {"a": "b"}})
    assert caught.value.errors[0].field == "settings.url"
    channels_admin.refuse_addresses({"url": "https://not-there-yet.invalid/", "smtp_host": "nowhere.invalid"})
    channels_admin.refuse_addresses(None)

"""No secret of a channel is ever stored with an attempt."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as some

from tests.notify.conftest import Desk
from tests.support.sink import Answer, Request, Sink
from vabhub.channels.registry import kind_of
from vabhub.notify.redact import MAX_BYTES, redact, secrets_of
from vabhub.notify.send import deliver

TOKEN = "123456789:AAH-very_secret_token_value"


@given(
    some.text(max_size=5000), some.sampled_from([TOKEN, "p@ss/w0rd+x", "秘密的钥匙"]), some.integers(0, 3000)
)
def test_a_secret_is_gone_in_every_form_and_the_text_is_short(text: str, secret: str, at: int) -> None:
    forms = (secret, quote(secret, safe=""), b64encode(secret.encode()).decode())
    found = redact(text[:at] + " ".join(forms) + text[at:], [secret])
    assert not any(form in found for form in forms)
    assert len(found.encode()) <= MAX_BYTES


def test_secrets_are_every_secret_field_and_what_an_address_hides() -> None:
    settings = {
        "url": "https://user:hunter22@hooks.example.com/services/T0000000000000000/x?key=abc123",
        "headers": {"Authorization": "Bearer abcdef"},
        "secret": "whsec_one whsec_two",
        "method": "POST",
    }
    found = secrets_of(kind_of("webhook").Settings, settings)
    assert {"hunter22", "T0000000000000000", "key=abc123", "abcdef", "whsec_one", "whsec_two"} <= set(found)
    assert "POST" not in found


def test_a_provider_that_echoes_the_request_leaks_nothing_into_the_history(desk: Desk, sink: Sink) -> None:
    desk.channel("hook", sink.url, settings={"headers": {"X-Token": "extremely-secret"}})
    sink.respond = lambda request: Answer(500, f"got {_echo(request)}" + "é" * 5000)
    delivery_id = desk.delivery_id(desk.accept("hook"))
    deliver(delivery_id)
    (attempt,) = desk.attempts(delivery_id)
    assert attempt.text is not None
    assert "extremely-secret" not in attempt.text
    assert len(attempt.text.encode()) <= MAX_BYTES


def _echo(request: Request) -> str:
    return str(dict(request.headers))

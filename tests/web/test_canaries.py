"""Secrets planted in the settings of every kind of channel are found nowhere again."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import MetaData, create_engine, select

from tests.contracts.channels.providers import BROWSER_AUTH, KEY, PROVIDERS, TOKEN
from tests.support.ports import free_port
from tests.support.sink import Answer, Request, Sink
from tests.web.conftest import CookieClient
from vabhub import log
from vabhub.channels import wechat_app
from vabhub.channels.base import secret_names
from vabhub.channels.registry import kinds
from vabhub.cli import main
from vabhub.notify.send import deliver
from vabhub.settings import Settings

CANARY = "canary-" + KEY[::-1]
SIGNING = "whsec_" + b64encode(CANARY.encode()).decode()
PLANTED = (KEY, TOKEN, CANARY, SIGNING, BROWSER_AUTH, "vapid t=")


def _settings(kind: str, url: str) -> dict[str, Any]:
    given: dict[str, dict[str, Any]] = {
        "webhook": {"headers": {"Authorization": f"Bearer {CANARY}"}, "secret": SIGNING},
        "apprise": {"url": url.replace("http://", f"json://user:{KEY}@") + f"/{CANARY}?:X={TOKEN}"},
    }
    return PROVIDERS[kind].settings(url) | given.get(kind, {})


def _mail() -> dict[str, Any]:
    return {
        "smtp_host": "127.0.0.1",
        "smtp_port": free_port(),
        "smtp_user": "ada",
        "smtp_password": CANARY,
        "from_email": "vabhub@example.org",
        "to_email": "ada@example.org",
    }


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Everything is logged, as a worker with VABHUB_LOG_LEVEL=debug does."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    log.configure_logging(process="worker", level="debug", json_lines=True)
    yield
    root.handlers[:] = before
    root.setLevel(level)


def _echo(request: Request) -> str:
    return (
        f"{request.method} {request.path} {dict(request.headers)} {request.body.decode('utf-8', 'replace')}"
    )


def _plant(client: CookieClient, sink: Sink) -> list[str]:
    names = []
    for kind in PROVIDERS:
        body = {"name": f"a-{kind}", "kind": kind, "settings": _settings(kind, sink.url)}
        answer = client.post("/api/channels", json=body)
        assert answer.status_code == 201, answer.text
        names.append(body["name"])
    answer = client.post("/api/channels", json={"name": "a-mail", "kind": "email", "settings": _mail()})
    assert answer.status_code == 201, answer.text
    return [*names, "a-mail"]


def _deliver(client: CookieClient, names: list[str]) -> None:
    for _ in range(2):
        answer = client.post("/api/notifications", json={"title": "t", "message": "m", "channels": names})
        for delivery in answer.get_json()["data"]["deliveries"]:
            deliver(delivery["id"])


def _dump(settings: Settings) -> str:
    engine, metadata = create_engine(settings.database_url), MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        rows = [str(row) for table in metadata.sorted_tables for row in connection.execute(select(table))]
    engine.dispose()
    files = [path.read_bytes() for path in settings.data_dir.glob("vabhub.db*")]
    return "\n".join([*rows, *(content.decode("latin-1") for content in files)])


def _answers(client: CookieClient, names: list[str]) -> str:
    paths = ["/api/channels", "/api/channels/kinds", "/api/notifications", "/api/deliveries", "/queue"]
    paths += [f"/api/channels/{name}" for name in names]
    paths += [f"/api/notifications/{number}" for number in range(1, 40)]
    paths += [f"/notifications/{number}" for number in (1, 2)]
    texts = [client.get(path).text for path in paths]
    texts += [client.get("/api/export").text, _sealed_export(client)]
    for name in names:
        texts.append(client.post(f"/api/channels/{name}/test").text)
        texts.append(client.patch(f"/api/channels/{name}", json={"settings": {"nonsense": CANARY}}).text[:60])
    return "\n".join(texts)


def _sealed_export(client: CookieClient) -> str:
    answer = client.post("/api/export", json={"secrets": "sealed"})
    assert answer.status_code == 200, answer.text
    return answer.text


def _forms(secret: str) -> list[str]:
    return [secret, b64encode(secret.encode()).decode(), b64encode(f"user:{secret}".encode()).decode()]


def test_planted_secrets_are_found_nowhere(
    admin_client: CookieClient,
    sqlite: Settings,
    sink: Sink,
    logged: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wechat_app._tokens.clear()
    work = PROVIDERS["wechat_app"].before
    sink.respond = lambda request: work(request) or Answer(500, _echo(request))
    names = _plant(admin_client, sink)
    _deliver(admin_client, names)
    sink.respond = lambda request: work(request) or Answer(302, _echo(request), {"Location": request.path})
    _deliver(admin_client, names)
    sent = "\n".join(_echo(request) for request in sink.requests)
    shown = _answers(admin_client, names)
    assert main(["doctor"]) in {0, 1}
    places = {"answers": shown, "database": _dump(sqlite), "logs": "".join(capsys.readouterr())}

    assert KEY in sent, "a provider does get them"
    assert CANARY in sent
    assert len(places["logs"]) > 1000
    assert "500" in places["answers"]
    for place, text in places.items():
        for secret in PLANTED:
            for form in _forms(secret):
                at = text.find(form)
                assert at < 0, f"{place}: …{text[max(0, at - 200) : at + 60]}…"


def test_a_secret_of_every_kind_was_planted() -> None:
    for kind, channel in kinds().items():
        given = (
            _mail()
            if kind == "email"
            else {}
            if kind in {"system", "push"}
            else _settings(kind, "http://x.invalid")
        )
        hidden = secret_names(channel.Settings)
        planted = {name for name in hidden & given.keys() if any(one in str(given[name]) for one in PLANTED)}
        assert planted == hidden & given.keys()
        assert planted or kind in {"system", "push"}, kind  # what they keep is no setting

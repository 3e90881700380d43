"""Export and import over REST."""

from __future__ import annotations

from collections.abc import Callable

import yaml

from tests.notify.conftest import SECRET
from tests.web.conftest import CookieClient


def test_a_file_goes_out_and_comes_back(admin_client: CookieClient) -> None:
    settings = {"url": "http://127.0.0.1:9/", "secret": SECRET}
    admin_client.post("/api/channels", json={"name": "chat", "kind": "webhook", "settings": settings})
    masked = admin_client.get("/api/export").get_json()["data"]
    assert (masked["secrets"], SECRET in masked["yaml"]) == ("masked", False)
    plain = admin_client.post("/api/export", json={"secrets": "plain"}).get_json()["data"]
    assert yaml.safe_load(plain["yaml"])["channels"][0]["settings"] == settings
    changed = masked["yaml"].replace("enabled: true", "enabled: false")
    for dry_run, enabled in ((True, True), (False, False)):
        answer = admin_client.post("/api/import", json={"yaml": changed, "dry_run": dry_run})
        (change,) = answer.get_json()["data"]["changes"]
        expected = {"what": "channel", "name": "chat", "action": "update", "fields": ["enabled"]}
        assert change == expected
        assert admin_client.get("/api/channels/chat").get_json()["data"]["enabled"] is enabled


def test_faults_name_their_place(admin_client: CookieClient) -> None:
    answer = admin_client.post("/api/import", json={"yaml": "version: 1\nchannels: [{name: a, kind: b}]"})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == "channels.0.kind"


def test_secrets_and_imports_are_for_administrators(
    client: CookieClient, token: Callable[..., dict[str, str]]
) -> None:
    header = token("read", "notify", "control")
    assert client.get("/api/export", headers=header).status_code == 200
    assert client.post("/api/export", json={"secrets": "plain"}, headers=header).status_code == 403
    assert client.post("/api/import", json={"yaml": "version: 1"}, headers=header).status_code == 403

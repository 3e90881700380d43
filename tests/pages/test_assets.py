"""Static files: kept for ever under an address of their content, small, and as they were published."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

from flask.testing import FlaskClient

from web import assets

VENDOR = assets.FOLDER / "vendor"
JS_BUDGET_BYTES, CSS_BUDGET_BYTES = 100 * 1024, 19 * 1024


def test_the_manifest_lists_every_vendored_file_with_its_digest() -> None:
    listed = {name: digest for one in _libraries() for name, digest in one["files"].items()}
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert listed == found


def test_every_vendored_library_comes_with_its_version_and_licence() -> None:
    for one in _libraries():
        folder = f"{one['name']}@{one['version']}"
        assert one["licence"] in {"MIT", "OFL-1.1"}
        assert f"{folder}/LICENSE" in one["files"]
        assert (VENDOR / folder).is_dir()


def test_scripts_and_styles_stay_within_their_budgets() -> None:
    assert _packed(".js") <= JS_BUDGET_BYTES
    assert _packed(".css") <= CSS_BUDGET_BYTES


def test_a_file_of_this_version_may_be_kept_for_ever(client: FlaskClient) -> None:
    answer = client.get(assets.static_url("css/tokens.css"), headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert gzip.decompress(answer.data) == (assets.FOLDER / "css" / "tokens.css").read_bytes()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_of_another_version_is_sent_but_not_kept(client: FlaskClient) -> None:
    answer = client.get("/static/v-000000000000/js/main.js")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")
    assert answer.mimetype == "text/javascript"


def test_a_page_asks_for_what_its_first_module_imports_and_nothing_else() -> None:
    overview, queue = set(assets.modules("js/main.js")), set(assets.modules("js/queue.js"))
    assert {"js/main.js", "js/cards/cpu.js", "js/dom.js", "js/drawer.js"} <= overview
    assert {"js/queue.js", "js/words.js", "js/drawer.js"} <= queue
    assert "js/queue.js" not in overview
    assert "js/chart.js" not in queue


def test_no_path_leads_out_of_the_folder(client: FlaskClient) -> None:
    for path in ("../pages.py", "..%2fpages.py", "js/../../pages.py", "nothing.js", ""):
        assert client.get(f"/static/v-{assets.version()}/{path}").status_code == 404


def _libraries() -> list[dict[str, object]]:
    libraries: list[dict[str, object]] = json.loads((VENDOR / "manifest.json").read_text())["libraries"]
    return libraries


def _packed(suffix: str) -> int:
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in Path(assets.FOLDER).rglob(f"*{suffix}"))

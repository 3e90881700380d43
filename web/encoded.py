"""A view's data as JSON text with its ETag: encoded once for each reading, not for each request."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Response, current_app, request

from vabhub.clock import isoformat, utcnow
from web.envelope import dumps


@dataclass(frozen=True, slots=True)
class Encoded:
    """Data as it goes out, and the tag that stays the same as long as the data does."""

    text: str
    etag: str


def encode(data: Any) -> Encoded:
    """Return the data encoded."""
    tagged = current_app.json.dumps(data, sort_keys=True)
    return Encoded(dumps(data), hashlib.sha256(tagged.encode()).hexdigest()[:32])


def encode_once(name: str, source: object, make: Callable[[], Any]) -> Encoded:
    """Return what `make` returns, encoded; done before when `source` is still the same object."""
    known: dict[str, tuple[object, Encoded]] = current_app.extensions.setdefault("vabhub_encoded", {})
    found = known.get(name)
    if found is None or found[0] is not source:
        found = known[name] = (source, encode(make()))
    return found[1]


def conditional(data: Encoded, meta: Mapping[str, Any]) -> Response:
    """Return the success envelope around the data, or 304 when the caller has just that."""
    if request.if_none_match.contains_weak(data.etag):
        response = Response(status=304)
    else:
        # The envelope's keys in their order; only what is around the data is encoded for this request.
        body = (
            f'{{"success":true,"message":"OK","data":{data.text},"meta":{dumps(dict(meta))},'
            f'"timestamp":"{isoformat(utcnow())}"}}\n'
        )
        response = Response(body, mimetype="application/json")
    response.set_etag(data.etag)
    response.headers["Cache-Control"] = f"private, max-age={_left_s(meta)}"
    response.headers["Vary"] = "Authorization, Cookie, X-Api-Key"
    return response


def _left_s(meta: Mapping[str, Any]) -> int:
    if meta["status"] != "ok" or meta["age_s"] is None:
        return 0
    return max(0, int(timedelta(seconds=meta["ttl_s"] - meta["age_s"]).total_seconds()))

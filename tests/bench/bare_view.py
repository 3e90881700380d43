"""The least that Flask can do: a view that returns bytes, for gunicorn with our worker class."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask, Response

BODY = Path(os.environ["BENCH_BODY"]).read_bytes()

app = Flask(__name__)


@app.get("/bare")
def bare() -> Response:
    """Return the same bytes every time."""
    return Response(BODY, mimetype="application/json")

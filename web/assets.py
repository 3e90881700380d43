"""Static files under an address that changes with their content, so that a browser may keep them for ever.

One version stands for the whole tree: modules and style sheets name one another by relative paths.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Response, request
from werkzeug.exceptions import NotFound

FOLDER = Path(__file__).parent / "static"
_FOR_EVER = "public, max-age=31536000, immutable"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
_IMPORT = re.compile(r'^import .*?"(\.{1,2}/[^"]+)";$', re.MULTILINE)
_PACKS = frozenset({".js", ".css", ".svg", ".json"})


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is sent: plain, and gzipped where that makes it smaller."""

    content: bytes
    packed: bytes | None
    mimetype: str


@cache
def version() -> str:
    """Return what names this state of the whole tree."""
    digest = hashlib.sha256()
    for path in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def static_url(path: str) -> str:
    """Return the address of a static file; raises FileNotFoundError for one that is not there."""
    if not (FOLDER / path).is_file():
        raise FileNotFoundError(path)
    return f"/static/v-{version()}/{path}"


@cache
def modules(entry: str) -> tuple[str, ...]:
    """Return a page's first module and all that it imports, so that the page can ask for them at once."""
    found, left = set[str](), [FOLDER / entry]
    while left:
        path = left.pop()
        name = path.relative_to(FOLDER).as_posix()
        if name not in found:
            found.add(name)
            left += [(path.parent / other).resolve() for other in _IMPORT.findall(path.read_text("utf-8"))]
    return tuple(sorted(found))


def send(asked_version: str, path: str) -> Response:
    """Answer with a file; one of another version is sent too, but not to be kept."""
    asset = _load(path)
    packed = asset.packed if request.accept_encodings["gzip"] else None
    response = Response(packed or asset.content, mimetype=asset.mimetype)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = _FOR_EVER if asked_version == version() else "no-cache"
    return response


@cache
def _known() -> frozenset[str]:
    return frozenset(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file())


@cache
def _read(path: str) -> Asset:
    content = (FOLDER / path).read_bytes()
    suffix = Path(path).suffix
    packed = gzip.compress(content, 9, mtime=0) if suffix in _PACKS else None
    guessed = _TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    return Asset(content, packed if packed and len(packed) < len(content) else None, guessed)


def _load(path: str) -> Asset:
    # Only names that were there at the start: no path can lead out of the folder, and the cache is bounded.
    if path not in _known():
        raise NotFound
    return _read(path)

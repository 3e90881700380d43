"""Real torrent files, made here, and the web seed that serves their content."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PIECE_BYTES = 64 * 1024


def bencode(value: Any) -> bytes:
    """Return `value` as BitTorrent writes it (BEP 3)."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, bytes):
        return b"%d:%b" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    return b"d" + b"".join(bencode(key) + bencode(value[key]) for key in sorted(value)) + b"e"


def make_torrent(name: str, content: bytes, web_seed: str | None = None) -> bytes:
    """Return a torrent file of one file, private so that nobody else is asked for peers."""
    pieces = [content[at : at + PIECE_BYTES] for at in range(0, len(content), PIECE_BYTES)]
    info = {
        b"length": len(content),
        b"name": name.encode(),
        b"piece length": PIECE_BYTES,
        b"pieces": b"".join(hashlib.sha1(piece).digest() for piece in pieces),
        b"private": 1,
    }
    torrent: dict[bytes, Any] = {b"info": info}
    if web_seed:
        torrent[b"url-list"] = web_seed.encode()
    return bencode(torrent)


@contextmanager
def web_seed(content: bytes, *, bytes_per_s: int = 1024 * 1024) -> Iterator[str]:
    """Serve `content` by ranges on loopback, slowly enough to be watched; give the address of the file."""
    pause = threading.Event()
    chunk = bytes_per_s // 50

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            match = re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            start, end = (int(match[1]), int(match[2])) if match else (0, len(content) - 1)
            self.send_response(206 if match else 200)
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
            self.send_header("Content-Length", str(end - start + 1))
            self.end_headers()
            for at in range(start, end + 1, chunk):
                self.wfile.write(content[at : min(at + chunk, end + 1)])
                pause.wait(1 / 50)

        def handle(self) -> None:
            with suppress(ConnectionError):  # the client stopped half-way
                super().handle()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/content.bin"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

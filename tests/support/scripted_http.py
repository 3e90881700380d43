"""An HTTP server on loopback that answers by a script, for what a real program will not do on demand."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    """Return an answer with a status, a body and headers (`Content_Type` for Content-Type)."""

    def send(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return send


@contextmanager
def scripted_http(
    script: Callable[[str], Answer], *, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[str, list[str]]]:
    """Serve `script(path)`; give the address and the list of paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        body = b""  # what came with the request, for a script that depends on it

        def do_POST(self) -> None:
            asked.append(self.path)
            self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with suppress(ConnectionError):
                script(self.path)(self)

        do_GET = do_POST  # noqa: N815 - http.server's name

        def handle(self) -> None:
            with suppress(ConnectionError, ssl.SSLError):  # the other side refused the certificate
                super().handle()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

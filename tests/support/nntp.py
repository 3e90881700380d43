"""A news server on loopback: it has each article that it was given, yEnc-encoded, and serves it slowly."""

from __future__ import annotations

import socketserver
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

ARTICLE_BYTES = 64 * 1024


@dataclass
class NewsServer:
    """What the server holds: articles by message id."""

    port: int = 0
    articles: dict[str, bytes] = field(default_factory=dict)
    pause: threading.Event = field(default_factory=threading.Event)
    seconds_an_article: float = 0.05

    def post(self, name: str, content: bytes, *, missing: bool = False) -> bytes:
        """Keep a file as articles (none of them when `missing`) and return the NZB that names them."""
        parts = [content[at : at + ARTICLE_BYTES] for at in range(0, len(content), ARTICLE_BYTES)]
        segments = []
        for number, part in enumerate(parts, 1):
            message = f"{name}-{number}@loopback"
            if not missing:
                begin = (number - 1) * ARTICLE_BYTES
                self.articles[message] = _yenc(name, part, begin, number, len(parts), len(content))
            segments.append(f'<segment bytes="{len(part)}" number="{number}">{message}</segment>')
        subject = quoteattr(f'"{name}" yEnc (1/{len(parts)})')
        return (
            '<?xml version="1.0" encoding="UTF-8"?><nzb xmlns="http://www.newzbin.com/DTD/2003/nzb">'
            f'<file poster="a@b" date="1700000000" subject={subject}><groups><group>a.b.c</group></groups>'
            f"<segments>{''.join(segments)}</segments></file></nzb>"
        ).encode()


@contextmanager
def news_server() -> Iterator[NewsServer]:
    """Run a news server for the length of the block."""
    held = NewsServer()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(ConnectionError):
                self.wfile.write(b"200 ready\r\n")
                for line in self.rfile:
                    self.answer(line.decode("latin-1").split())

        def answer(self, words: list[str]) -> None:
            verb = words[0].upper() if words else ""
            if verb in ("ARTICLE", "BODY"):
                self.article(verb, words[1].strip("<>"))
            elif verb == "GROUP":
                self.wfile.write(b"211 1 1 1 a.b.c\r\n")
            elif verb == "QUIT":
                self.wfile.write(b"205 bye\r\n")
            else:
                self.wfile.write(b"500 unknown\r\n")

        def article(self, verb: str, message: str) -> None:
            body = held.articles.get(message)
            if body is None:
                self.wfile.write(b"430 no such article\r\n")
                return
            held.pause.wait(held.seconds_an_article)
            head = f"Message-ID: <{message}>\r\n\r\n" if verb == "ARTICLE" else ""
            code = "220" if verb == "ARTICLE" else "222"
            self.wfile.write(f"{code} 0 <{message}>\r\n{head}".encode() + body + b".\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        held.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield held
        server.shutdown()
        thread.join()


def _yenc(name: str, part: bytes, begin: int, number: int, total: int, size: int) -> bytes:
    encoded = bytearray()
    column = 0
    for byte in part:
        value = (byte + 42) % 256
        if value in (0, 10, 13, 61) or (column == 0 and value == 46):
            encoded += b"="
            value = (value + 64) % 256
        encoded.append(value)
        column += 1
        if column >= 128:
            encoded += b"\r\n"
            column = 0
    head = f"=ybegin part={number} total={total} line=128 size={size} name={name}\r\n"
    head += f"=ypart begin={begin + 1} end={begin + len(part)}\r\n"
    tail = f"\r\n=yend size={len(part)} part={number} pcrc32={zlib.crc32(part):08x}\r\n"
    return head.encode() + bytes(encoded) + tail.encode()

"""Servers of the live benchmark: our hub with other ways to write to the very same sockets, and Starlette."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

from flask import Flask, jsonify, request
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from tests.live.app import create_app as create_live_app
from vabhub.events.topics import Topic
from web import live

KIB = 1024


def envelope(seq: int) -> bytes:
    """Return a state message of 1 KB, as the numbers of a machine look: digits, names, some repetition."""
    data = {f"core_{number}": (seq * 7919 + number * 104729) % 9973 / 100 for number in range(56)}
    message = {"type": "system_update", "topic": "system", "seq": seq, "data": data, "meta": {}}
    text = json.dumps({**message, "timestamp": "2026-01-01T00:00:00.000000Z"}, separators=(",", ":"))
    return text.ljust(KIB).encode()


def create_app() -> Flask:
    """Return the socket's test application with `/bench/<way>?n=`: push n messages, tell the bytes."""
    app = create_live_app()
    ways = {"hub": _hub, "bare": _bare, "naive": _naive}

    def push(way: str) -> Any:
        return jsonify(bytes=ways[way](int(request.args["n"])))

    app.add_url_rule("/bench/<way>", "push", push)
    return app


def _members() -> list[Any]:
    return list(live.hub()._by_topic[Topic.SYSTEM])


def _next_seq() -> int:
    latest = live.hub()._latest.get(Topic.SYSTEM)
    return latest.seq + 1 if latest else 1


def _hub(number: int) -> int:
    """Publish as the listener on the bus does."""
    hub, members, sent = live.hub(), _members(), 0
    for seq in range(first := _next_seq(), first + number):
        hub.publish(Topic.SYSTEM, seq, envelope(seq))
        whole = hub._latest[Topic.SYSTEM].whole
        sent += sum(len(whole.frame(deflated=member.mailbox.deflates)) for member in members)
    return sent


def _bare(number: int) -> int:
    """Write prepared bytes to the sockets, and nothing else."""
    frame = live.hub()._latest[Topic.SYSTEM].whole.frame(deflated=False)
    raw, at_once = [member.mailbox._raw for member in _members()], int(socket.MSG_DONTWAIT)
    for _ in range(number):
        for one in raw:
            one.send(frame, at_once)
    return number * len(frame) * len(raw)


def _naive(number: int) -> int:
    """Let each client's library encode, frame and send, as `for ws in clients: ws.send(text)` does."""
    clients = [(member._ws.sock, Connection(ConnectionType.SERVER)) for member in _members()]
    text, sent = envelope(1).decode(), 0
    for _ in range(number):
        for sock, connection in clients:
            sent += sock.send(connection.send(TextMessage(data=text)))
    return sent


def starlette_app() -> Any:
    """Return the same broadcast as one writes it with Starlette."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route, WebSocketRoute
    from starlette.websockets import WebSocket, WebSocketDisconnect

    clients: set[WebSocket] = set()

    async def serve(websocket: WebSocket) -> None:
        await websocket.accept()
        clients.add(websocket)
        try:
            while True:
                await websocket.receive_text()
        except WebSocketDisconnect:
            clients.discard(websocket)

    async def push(asked: Request) -> JSONResponse:
        text, number = envelope(1).decode(), int(asked.query_params["n"])
        for _ in range(number):
            await asyncio.gather(*(one.send_text(text) for one in clients))
        sent = number * len(clients) * (len(text) + 4)
        return JSONResponse({"bytes": sent})

    async def health(_asked: Request) -> JSONResponse:
        return JSONResponse({"ok": True})

    routes = [WebSocketRoute("/api/ws/ws", serve), Route("/bench/starlette", push), Route("/healthz", health)]
    return Starlette(routes=routes)

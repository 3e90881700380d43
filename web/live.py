"""The WebSocket routes: who may open a socket, how many, and how all of them end."""

from __future__ import annotations

import _thread
import base64
import binascii
import os
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app, request
from flask_sock import Sock

from vabhub.errors import BadRequest, Forbidden, Unavailable
from vabhub.log import get_logger
from vabhub.settings import get_settings
from web import auth as web_auth
from web import deflate
from web.endpoint import Access, protect
from web.hub import Hub
from web.live_client import LiveClient, Opening

log = get_logger(__name__)

PATHS = ("/api/ws/ws", "/api/ws")
_AUTH = "VABHUB_LIVE_AUTH"
_EXTENSIONS = "HTTP_SEC_WEBSOCKET_EXTENSIONS"
_OPENING = "vabhub.opening"
_DEFAULT_PORTS = {"http": 80, "https": 443}

# With a thread a socket, these must be left for HTTP.
_LEAST_FREE_THREADS, _MOST_FREE_THREADS = 2, 16

_max_sockets: int | None = None
_hub: Hub | None = None
_hub_pid = 0
_hub_lock = threading.Lock()


def init_app(app: Flask) -> None:
    """Register the socket under its path and its alias."""
    app.config.setdefault(_AUTH, web_auth)
    app.config["SOCK_SERVER_OPTIONS"] = {"thread_class": _NoReader}
    sock = Sock(app)
    for number, path in enumerate(PATHS):
        endpoint = f"live_{number}"
        sock.route(path, endpoint=endpoint)(_serve)
        app.view_functions[endpoint] = _gate(app.view_functions[endpoint])


def hub() -> Hub:
    """Return this process's hub, starting it on the first call after the fork."""
    global _hub, _hub_pid
    with _hub_lock:
        if _hub is None or _hub_pid != os.getpid():
            most = get_settings().max_sockets
            _hub, _hub_pid = Hub(max_sockets=min(most, _max_sockets or most)), os.getpid()
            _hub.start()
        return _hub


def leave_threads_for_http(threads: int) -> None:
    """Allow only as many sockets as leave some of gthread's threads free; gevent has no such limit."""
    global _max_sockets
    free = min(_MOST_FREE_THREADS, max(_LEAST_FREE_THREADS, threads // 4))
    _max_sockets = max(1, threads - free)


def shutdown() -> None:
    """Close all sockets of this process with 1001; takes about a second when clients do not answer."""
    if _hub is not None and _hub_pid == os.getpid():
        _hub.stop()


def shutdown_soon() -> None:
    """Do the same without waiting for it, from a signal handler."""
    from gevent import monkey, spawn

    if monkey.is_module_patched("threading"):
        # The handler may have interrupted gevent's hub, where nothing may block.
        spawn(shutdown)
    else:
        # Not threading.Thread: the handler may have interrupted its lock.
        _thread.start_new_thread(shutdown, ())


def _gate(view: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a socket's view: refusals are plain HTTP answers, given before the upgrade."""

    def live() -> Any:
        """Open the live socket."""
        _check_handshake()
        _check_origin()
        environ = request.environ
        principal = _auth().authenticate_environ(environ)
        place = hub().reserve(stranger=principal is None)
        if place is None:
            raise Unavailable("No more live sockets here.", retry_after_s=5)
        try:
            environ[_OPENING] = Opening(principal, _negotiate(environ), place.recognise)
            return view()
        finally:
            place.release()

    return protect(live, Access.OWN)


def _serve(ws: Any) -> None:
    try:
        LiveClient(ws, hub(), _auth(), request.environ[_OPENING]).run()
    except Exception:
        log.exception("live.socket_failed")


def _auth() -> ModuleType:
    module: ModuleType = current_app.config[_AUTH]
    return module


def _negotiate(environ: dict[str, Any]) -> bool:
    """Return whether messages may be compressed; simple-websocket sees only what it answers as we want it.

    A window a client, as it would agree to, costs ten times the CPU and 250 KB a connection.
    """
    accepted = deflate.accepts(environ.pop(_EXTENSIONS, ""))
    if accepted:
        environ[_EXTENSIONS] = deflate.ANSWER
    return accepted


def _check_handshake() -> None:
    """Refuse what simple-websocket would fail on (RFC 6455, section 4.2.1)."""
    if request.headers.get("Sec-WebSocket-Version") != "13":
        raise BadRequest("Expected Sec-WebSocket-Version: 13.")
    try:
        key = base64.b64decode(request.headers.get("Sec-WebSocket-Key", ""), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 16:
        raise BadRequest("Expected Sec-WebSocket-Key: 16 bytes in base64.")


def _check_origin() -> None:
    """Refuse a browser on another site that brings our cookie along; programs send no Origin."""
    origin = request.headers.get("Origin")
    if origin is None or web_auth.COOKIE not in request.cookies:
        return
    if not _is_own(origin):
        raise Forbidden("A socket with the session cookie must come from the page's own origin.")


def _is_own(origin: str) -> bool:
    """Return whether host and port are ours. A proxy that ends TLS leaves us http: only those two count."""
    try:
        theirs, ours = urlsplit(origin), urlsplit(f"//{request.host}")
        default = _DEFAULT_PORTS.get(theirs.scheme)
        return bool(theirs.hostname) and (
            (theirs.hostname, theirs.port or default) == (ours.hostname, ours.port or default)
        )
    except ValueError:
        return False


class _NoReader:
    """Stands in for simple-websocket's reader thread: the route itself reads."""

    name = ""

    def __init__(self, target: Any) -> None:
        pass

    def start(self) -> None:
        """Start nothing."""

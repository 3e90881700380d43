"""One live socket: reads what the client says and answers it; pushes come through its mailbox."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wsproto.events import CloseConnection, Ping, Pong

from vabhub.accounts import Scope
from vabhub.errors import VabHubError
from vabhub.events.topics import Topic
from vabhub.log import get_logger
from web import frames
from web.client_messages import Refused, deltas_of, parse, refuse_binary, shown, topics_of
from web.frames import CloseCode, Opcode
from web.hub import Hub, resync_notice, text_frame
from web.hub_metrics import RECEIVED
from web.inbox import Broken, Heard, Inbox, Message
from web.live_auth import Auth, Principal
from web.mailbox import Mailbox

log = get_logger(__name__)

MESSAGES_PER_S = 20
# Checked once a second, and promised within 5 s.
AUTH_WAIT_S = 3.5
PING_EVERY_S = 25.0
PONG_WITHIN_S = 50.0
_CLOSE_WITHIN_S = 2.0
_RECEIVE_BYTES = 16 * 1024
_BROWSER_CODES = range(1000, 5000)


@dataclass(frozen=True, slots=True)
class Opening:
    """What the handshake found out."""

    principal: Principal | None
    deflates: bool
    on_recognised: Callable[[], None]  # called when a stranger says later who it is


class LiveClient:
    """Speaks the protocol of `docs/live.md` over a connection that simple-websocket has opened.

    Of that library only the handshake is used: its `send` writes parts of frames from several threads, its
    reader is a second thread a socket, and its parser unfolds whatever a client compressed.
    """

    def __init__(self, ws: Any, hub: Hub, auth: Auth, opening: Opening) -> None:
        self.mailbox = Mailbox(ws.sock, resync_notice, deflates=opening.deflates)
        self._ws = ws
        self._inbox = Inbox(deflates=opening.deflates)
        self._hub = hub
        self._auth = auth
        self._principal = opening.principal
        self._on_recognised = opening.on_recognised
        self._topics: set[Topic] = set()
        self._opened_at = self._pinged_at = self._ponged_at = time.monotonic()
        self._closing_since: float | None = None
        self._allowance = float(MESSAGES_PER_S)
        self._counted_at = self._opened_at

    def run(self) -> None:
        """Serve the client until either side ends the connection."""
        self._hub.add(self)
        try:
            self._read_all()
        finally:
            self._hub.remove(self)
            self.mailbox.close()
            self._ws.connected = False

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame; the connection ends with the client's answer, or 2 s later without."""
        if self._closing_since is None:
            self._closing_since = time.monotonic()
            self.mailbox.put_last(frames.close(code, reason))

    def tick(self, now: float) -> None:
        """Do what time asks for: pings, and an end for the silent, the nameless and the closing."""
        if self._closing_since is not None:
            if now - self._closing_since > _CLOSE_WITHIN_S:
                self.mailbox.hang_up()
        elif self._principal is None and now - self._opened_at > AUTH_WAIT_S:
            self._refuse_and_close("No valid credential came: sign in, or send an auth message first.")
        elif now - self._ponged_at > PONG_WITHIN_S:
            self.close(CloseCode.POLICY_VIOLATION, "no pong")
        elif now - self._pinged_at >= PING_EVERY_S:
            self._pinged_at = now
            self.mailbox.put_reply(frames.PING)

    def check_credential(self, known: dict[Any, bool]) -> None:
        """Close the socket when its session or token was revoked or has expired.

        `known` holds the answers of this round, by principal.
        """
        principal = self._principal
        if principal is None or self._closing_since is not None:
            return
        if principal not in known:
            known[principal] = self._is_current(principal)
        if not known[principal]:
            self._refuse_and_close("This credential was revoked or has expired.")

    def _is_current(self, principal: Principal) -> bool:
        time.sleep(0)  # under gevent a question to SQLite lets nobody else run
        try:
            return self._auth.is_current(principal)
        except VabHubError:
            return True  # The database is away: nobody loses a right by that.

    def _read_all(self) -> None:
        while True:
            try:
                data = self._ws.sock.recv(_RECEIVE_BYTES)
            except OSError:
                return
            if not data:
                return
            if any(self._is_over(heard) for heard in self._inbox.read(data)):
                return
            time.sleep(0)  # under gevent one that sends without a pause would let nobody else run

    def _is_over(self, heard: Heard) -> bool:
        """Handle what came; return whether the connection is over."""
        if isinstance(heard, CloseConnection):
            if self._closing_since is None:
                self._echo(int(heard.code))
            return True
        if self._closing_since is None:  # what still comes after our close frame is dropped
            self._on_heard(heard)
        return False

    def _echo(self, code: int) -> None:
        known = code in _BROWSER_CODES and code != 1005
        self.mailbox.put_last(frames.close(code) if known else frames.EMPTY_CLOSE)

    def _on_heard(self, heard: Message | Broken | Ping | Pong) -> None:
        if isinstance(heard, Broken):
            # To hang up while more is on its way would make the kernel drop our close frame.
            self.close(heard.code, heard.reason)
        elif not self._within_rate():
            return
        elif isinstance(heard, Pong):
            self._ponged_at = time.monotonic()
        elif isinstance(heard, Ping):
            self.mailbox.put_reply(frames.encode(Opcode.PONG, bytes(heard.payload)))
        else:
            self._on_message(heard)

    def _within_rate(self) -> bool:
        now = time.monotonic()
        earned = (now - self._counted_at) * MESSAGES_PER_S
        self._counted_at = now
        self._allowance = min(float(MESSAGES_PER_S), self._allowance + earned) - 1
        RECEIVED.inc()
        if self._allowance >= 0:
            return True
        self._error("RATE_LIMITED", f"More than {MESSAGES_PER_S} messages a second.")
        self.close(CloseCode.RATE_LIMITED, "too many messages")
        return False

    def _on_message(self, message: Message) -> None:
        try:
            self._dispatch(refuse_binary() if message.text is None else parse(message.text))
        except Refused as refusal:
            self._error(refusal.code, refusal.message)
        except VabHubError as error:
            self._error(error.error_code, error.message)

    def _dispatch(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        handler = _HANDLERS.get(kind) if isinstance(kind, str) else None
        if self._principal is None and kind != "auth":
            self._refuse_and_close("The first message must be auth.")
        elif handler is None:
            raise Refused("UNKNOWN_TYPE", f"Unknown type {shown(kind)}; known: {', '.join(_HANDLERS)}.")
        else:
            handler(self, message)

    def _on_auth(self, message: dict[str, Any]) -> None:
        token = message.get("token")
        # Half a surrogate pair is valid JSON and cannot be hashed.
        given = token if isinstance(token, str) and token.isascii() else ""
        principal = self._auth.principal_for_token(given) if given else None
        if principal is not None:
            if self._principal is None:
                self._on_recognised()
            self._principal = principal
            self._reply("authenticated", name=principal.name)
        elif self._principal is None:
            self._refuse_and_close("This token is not valid.")
        else:
            raise Refused("UNAUTHORIZED", "This token is not valid; the earlier credential still counts.")

    def _on_ping(self, _message: dict[str, Any]) -> None:
        self._reply("pong")

    def _on_subscribe(self, message: dict[str, Any]) -> None:
        assert self._principal is not None
        if not self._principal.has(Scope.READ):
            raise Refused("FORBIDDEN", "Topics need the scope 'read'.")
        known, unknown = topics_of(message)
        self._topics |= set(known)
        answer = text_frame(type="subscribed", topics=sorted(self._topics))
        self._hub.subscribe(self, known, answer=answer, deltas=deltas_of(message))
        self._report(unknown)

    def _on_unsubscribe(self, message: dict[str, Any]) -> None:
        known, unknown = topics_of(message)
        self._hub.unsubscribe(self, known)
        self._topics -= set(known)
        self._reply("unsubscribed", topics=sorted(self._topics))
        self._report(unknown)

    def _report(self, unknown: list[str]) -> None:
        if unknown:
            listed = ", ".join(shown(name) for name in unknown[:5])
            self._error("UNKNOWN_TOPIC", f"Unknown: {listed}; known: {', '.join(Topic)}.")

    def _refuse_and_close(self, message: str) -> None:
        self._error("UNAUTHORIZED", message)
        self.close(CloseCode.UNAUTHORIZED, "unauthorized")

    def _error(self, code: str, message: str) -> None:
        self._reply("error", code=code, message=message)

    def _reply(self, kind: str, **fields: Any) -> None:
        self.mailbox.put_reply(text_frame(type=kind, **fields))


_HANDLERS: dict[str, Callable[[LiveClient, dict[str, Any]], None]] = {
    "auth": LiveClient._on_auth,
    "ping": LiveClient._on_ping,
    "subscribe": LiveClient._on_subscribe,
    "unsubscribe": LiveClient._on_unsubscribe,
}

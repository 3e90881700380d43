"""Server frames of RFC 6455: unmasked, so the same bytes go to every client."""

from __future__ import annotations

from enum import IntEnum

from web.deflate import LEAST_BYTES, deflate

_FIN = 0x80
_RSV1 = 0x40  # this message is compressed (RFC 7692)


class Opcode(IntEnum):
    """RFC 6455, section 11.8."""

    TEXT = 0x1
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


class CloseCode(IntEnum):
    """RFC 6455, section 7.4, and ours from 4000 on."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    POLICY_VIOLATION = 1008
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    UNAUTHORIZED = 4401
    RATE_LIMITED = 4429


class Text:
    """A text message for many clients: framed once, and compressed at most once."""

    __slots__ = ("_deflated", "payload", "plain")

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.plain = encode(Opcode.TEXT, payload)
        self._deflated: bytes | None = None

    def frame(self, *, deflated: bool) -> bytes:
        """Return the frame, compressed for a client that negotiated it and where that saves something."""
        if not deflated or len(self.payload) < LEAST_BYTES:
            return self.plain
        if self._deflated is None:
            packed = encode(Opcode.TEXT, deflate(self.payload), first=_FIN | _RSV1)
            self._deflated = min(packed, self.plain, key=len)
        return self._deflated


class Push:
    """A topic's message: whole, and where there is one as the change since the message `base_seq`."""

    __slots__ = ("base_seq", "patch", "patchable", "seq", "whole")

    def __init__(
        self,
        seq: int,
        whole: Text,
        patch: Text | None = None,
        base_seq: int | None = None,
        *,
        patchable: bool = False,
    ) -> None:
        self.seq = seq
        self.patchable = patchable  # whether later ones may come as changes to this one
        self.whole = whole
        self.patch = patch
        self.base_seq = base_seq

    def frame(self, held_seq: int | None, *, deflated: bool) -> bytes:
        """Return what a client needs that holds the message `held_seq`, None when it holds none."""
        text = self.whole
        if self.patch is not None and held_seq is not None and held_seq == self.base_seq:
            text = self.patch
        return text.frame(deflated=deflated)


def encode(opcode: Opcode, payload: bytes = b"", *, first: int = _FIN) -> bytes:
    """Return one whole, final frame; `first` holds the bits beside the opcode."""
    size = len(payload)
    if size < 126:
        return bytes((first | opcode, size)) + payload
    if size < 65536:
        return bytes((first | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first | opcode, 127)) + size.to_bytes(8, "big") + payload


def close(code: int, reason: str = "") -> bytes:
    """Return a close frame; the reason is cut to the 123 bytes that fit."""
    text = reason.encode()[:123].decode(errors="ignore").encode()
    return encode(Opcode.CLOSE, code.to_bytes(2, "big") + text)


PING = encode(Opcode.PING)
EMPTY_CLOSE = encode(Opcode.CLOSE)

"""Server frames of RFC 6455: unmasked, so the same bytes go to every client."""

from __future__ import annotations

from enum import IntEnum

_FIN = 0x80


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


def encode(opcode: Opcode, payload: bytes = b"") -> bytes:
    """Return one whole, final frame."""
    size = len(payload)
    if size < 126:
        return bytes((_FIN | opcode, size)) + payload
    if size < 65536:
        return bytes((_FIN | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_FIN | opcode, 127)) + size.to_bytes(8, "big") + payload


def close(code: int, reason: str = "") -> bytes:
    """Return a close frame; the reason is cut to the 123 bytes that fit."""
    text = reason.encode()[:123].decode(errors="ignore").encode()
    return encode(Opcode.CLOSE, code.to_bytes(2, "big") + text)


PING = encode(Opcode.PING)
EMPTY_CLOSE = encode(Opcode.CLOSE)

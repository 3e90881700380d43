"""permessage-deflate (RFC 7692) without context takeover: one compressed message serves every client."""

from __future__ import annotations

import re
import zlib

from wsproto.extensions import Extension
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits

# Neither side carries a window from one message to the next: that is what lets all clients share our bytes,
# and it keeps nothing of an idle connection in memory.
ANSWER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
LEAST_BYTES = 1024
_LEVEL = 6
_WINDOW_BITS = 15
_TAIL = b"\x00\x00\xff\xff"

_FLAGS = frozenset({"server_no_context_takeover", "client_no_context_takeover"})
_BITS = re.compile(r"[89]|1[0-5]")


def accepts(offers: str) -> bool:
    """Return whether one of the offers in `Sec-WebSocket-Extensions` can be answered with ANSWER."""
    return any(_acceptable(offer) for offer in offers.split(","))


def deflate(payload: bytes) -> bytes:
    """Return a message's payload, compressed on its own (RFC 7692, section 7.2.1)."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -_WINDOW_BITS)
    return (packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_TAIL)


class BoundedInflate(Extension):
    """Inflates what a client sends, and stops at `most_bytes` a message: a bomb never unfolds.

    wsproto's own extension unfolds whatever comes, a thousandfold.
    """

    name = "permessage-deflate"

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._left = 0
        self._inflater: zlib._Decompress | None = None
        self._is_control = False

    def enabled(self) -> bool:
        """Return True: it is made only where it was negotiated."""
        return True

    def offer(self) -> bool | str:
        """Return False: a server offers nothing."""
        return False

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        """Begin a message; RSV1 on a control frame or a continuation is a protocol error."""
        self._is_control = opcode.iscontrol()
        if rsv.rsv1 and (self._is_control or opcode is Opcode.CONTINUATION):
            return CloseReason.PROTOCOL_ERROR
        if not self._is_control and opcode is not Opcode.CONTINUATION:
            self._inflater = zlib.decompressobj(-_WINDOW_BITS) if rsv.rsv1 else None
            self._left = self._most_bytes
        return RsvBits(True, False, False)

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        """Inflate a part of a message; more than may come out closes with 1009."""
        if self._is_control or self._inflater is None:
            return data
        try:
            plain = self._inflater.decompress(bytes(data), self._left + 1)
        except zlib.error:
            return CloseReason.INVALID_FRAME_PAYLOAD_DATA
        self._left -= len(plain)
        return plain if self._left >= 0 else CloseReason.MESSAGE_TOO_BIG

    def frame_inbound_complete(
        self, proto: FrameDecoder | FrameProtocol, fin: bool
    ) -> bytes | CloseReason | None:
        """End a message: put back the four bytes that its sender left away."""
        if not fin or self._is_control or self._inflater is None:
            return None
        rest = self.frame_inbound_payload_data(proto, _TAIL)
        self._inflater = None
        return rest


def _acceptable(offer: str) -> bool:
    name, *parameters = (part.strip() for part in offer.split(";"))
    pairs = [parameter.partition("=")[::2] for parameter in parameters]
    names = [one.strip() for one, _ in pairs]
    return (
        name == BoundedInflate.name
        and len(set(names)) == len(names)
        and all(_known(key.strip(), value.strip().strip('"')) for key, value in pairs)
    )


def _known(name: str, value: str) -> bool:
    if name in _FLAGS:
        return not value
    if name == "client_max_window_bits":
        return not value or bool(_BITS.fullmatch(value))
    # A smaller window for our side would be a second compression of every message: declined.
    return name == "server_max_window_bits" and value == str(_WINDOW_BITS)

"""What a download client is called, where it is, and what opens it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from vabhub.settings import Settings


class ClientKind(StrEnum):
    """The download clients that are understood."""

    QBITTORRENT = "qbittorrent"
    TRANSMISSION = "transmission"
    ARIA2 = "aria2"
    SABNZBD = "sabnzbd"
    NZBGET = "nzbget"


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """One download client. `secret` is its password, RPC secret or API key."""

    kind: ClientKind
    name: str
    url: str
    username: str = ""
    secret: str = field(default="", repr=False)
    verify_tls: bool = True
    mend: str = "set what it accepts"  # where the credentials are corrected, as the end of a sentence


def from_settings(settings: Settings) -> Sequence[ClientConfig]:
    """Return the clients that the environment names, each called by its kind."""
    found = []
    for kind in ClientKind:
        url = getattr(settings, f"{kind}_url")
        if url:
            username = getattr(settings, f"{kind}_username", None) or ""
            secret = getattr(settings, f"{kind}_{_SECRETS.get(kind, 'password')}") or ""
            found.append(ClientConfig(kind, kind.value, url, username, secret, mend=_mend(kind)))
    return found


_SECRETS = {ClientKind.ARIA2: "secret", ClientKind.SABNZBD: "api_key"}


def _mend(kind: ClientKind) -> str:
    start = f"VABHUB_{kind.upper()}_"
    names = f"{start}{_SECRETS[kind].upper()}" if kind in _SECRETS else f"{start}USERNAME and {start}PASSWORD"
    return f"set {names} to what it accepts, and restart VabHub"

"""What a setting is made of, and the group of settings that names download clients."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def setting(env: str, default: Any, help_text: str, *, secret: bool = False, **rules: Any) -> Any:
    """Return the field of one setting: its variable, its default, and what it does."""
    extra: dict[str, Any] = {"env": env, "secret": secret}
    return Field(default, description=help_text, repr=not secret, json_schema_extra=extra, **rules)


def _http_url(value: Any) -> Any:
    if isinstance(value, str) and not value.startswith(("http://", "https://")):
        raise ValueError("expected an address that begins with http:// or https://")
    return value.rstrip("/") if isinstance(value, str) else value


HttpUrl = Annotated[str, BeforeValidator(_http_url)]
Seconds = Annotated[float, Field(gt=0, le=86400)]


def _words(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    words = tuple(word.strip() for word in value.split(",") if word.strip())
    return () if words == ("none",) else words


EventWord = Literal["added", "completed", "failed", "stalled"]


class DownloadClientSettings(BaseModel):
    """One download client of each kind; more of a kind are added on the page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    qbittorrent_url: HttpUrl | None = setting(
        "VABHUB_QBITTORRENT_URL", None, "Address of qBittorrent's web interface"
    )
    qbittorrent_username: str = setting("VABHUB_QBITTORRENT_USERNAME", "admin", "qBittorrent's user")
    qbittorrent_password: str | None = setting(
        "VABHUB_QBITTORRENT_PASSWORD", None, "qBittorrent's password", secret=True
    )
    transmission_url: HttpUrl | None = setting(
        "VABHUB_TRANSMISSION_URL", None, "Address of Transmission's web interface"
    )
    transmission_username: str | None = setting("VABHUB_TRANSMISSION_USERNAME", None, "Transmission's user")
    transmission_password: str | None = setting(
        "VABHUB_TRANSMISSION_PASSWORD", None, "Transmission's password", secret=True
    )
    aria2_url: HttpUrl | None = setting("VABHUB_ARIA2_URL", None, "Address of aria2's RPC, with its port")
    aria2_secret: str | None = setting("VABHUB_ARIA2_SECRET", None, "aria2's rpc-secret", secret=True)
    sabnzbd_url: HttpUrl | None = setting("VABHUB_SABNZBD_URL", None, "Address of SABnzbd's web interface")
    sabnzbd_api_key: str | None = setting("VABHUB_SABNZBD_API_KEY", None, "SABnzbd's API key", secret=True)
    nzbget_url: HttpUrl | None = setting("VABHUB_NZBGET_URL", None, "Address of NZBGet's web interface")
    nzbget_username: str = setting("VABHUB_NZBGET_USERNAME", "nzbget", "NZBGet's user")
    nzbget_password: str | None = setting("VABHUB_NZBGET_PASSWORD", None, "NZBGet's password", secret=True)
    download_events: Annotated[tuple[EventWord, ...], BeforeValidator(_words)] = setting(
        "VABHUB_DOWNLOAD_EVENTS",
        ("added", "completed", "failed", "stalled"),
        "What of the downloads is notified of; none for nothing",
    )
    download_channels: Annotated[tuple[str, ...], BeforeValidator(_words)] = setting(
        "VABHUB_DOWNLOAD_CHANNELS",
        (),
        "Channels that hear of it, by name; the inbox when absent",
        max_length=32,
    )
    stalled_after_minutes: int = setting(
        "VABHUB_STALLED_AFTER_MINUTES",
        30,
        "Minutes without progress until a download counts as stalled",
        ge=1,
        le=10080,
    )

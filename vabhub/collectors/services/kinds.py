"""What kinds of programs there are, and what each needs to be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, Field, ValidationError

from vabhub.channels.base import MASK, Words, secret_names, setting
from vabhub.channels.moved import refuse_moved
from vabhub.collectors.downloads import ClientConfig, ClientKind
from vabhub.errors import FieldError, ValidationFailed

_MEND = "set the right one under Settings, Services"

Text = Annotated[str, Field(max_length=256)]


def _plain(url: AnyHttpUrl) -> AnyHttpUrl:
    """Refuse secrets in an address: everybody who may look at the services sees it."""
    if url.username or url.password or url.query:
        raise ValueError("no user, password or query in the address: they have fields of their own")
    return url


_VERIFY = Words("Check the certificate", "校验证书")
_VERIFY_HINT = Words(
    "Off only for a certificate of your own at home: anybody on the way can then listen",
    "仅对自己网络中的自签名证书关闭；关闭后，传输途中的任何人都可能窃听",
)


class ServiceSettings(BaseModel):
    """Base of every kind's settings: frozen, and an unknown key is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    url: Annotated[AnyHttpUrl, Field(max_length=1024), AfterValidator(_plain)] = setting(
        Words("Address", "地址"),
        hint=Words(
            "As it is opened in a browser, with its port: http://192.168.1.10:8080",
            "在浏览器中打开的地址，含端口，例如 http://192.168.1.10:8080",
        ),
    )
    verify_tls: bool = setting(_VERIFY, True, hint=_VERIFY_HINT)


_USER, _PASSWORD = Words("User name", "用户名"), Words("Password", "密码")


class LoginSettings(ServiceSettings):
    """A user name and a password, where the program wants them."""

    username: Text | None = setting(_USER, None)
    password: Text | None = setting(_PASSWORD, None, secret=True)


class Aria2Settings(ServiceSettings):
    """The secret, where one is set."""

    secret: Text | None = setting(
        Words("RPC secret", "RPC 密钥"), None, secret=True, hint=Words("rpc-secret", "rpc-secret")
    )


class SabnzbdSettings(ServiceSettings):
    """The key of the interface."""

    api_key: Text = setting(
        Words("API key", "API 密钥"),
        secret=True,
        hint=Words("In SABnzbd under Config, General", "位于 SABnzbd 的 Config → General"),
    )


@dataclass(frozen=True, slots=True)
class ServiceKind:
    """One kind of program. `opened_by` is the settings field with the secret."""

    kind: ClientKind
    label: Words
    about: Words
    settings: type[ServiceSettings]
    opened_by: str


_TORRENTS = Words("Torrents", "BT 下载")
_USENET = Words("Usenet", "Usenet 下载")

KINDS: Mapping[str, ServiceKind] = {
    kind.kind.value: kind
    for kind in (
        ServiceKind(
            ClientKind.QBITTORRENT, Words("qBittorrent", "qBittorrent"), _TORRENTS, LoginSettings, "password"
        ),
        ServiceKind(
            ClientKind.TRANSMISSION,
            Words("Transmission", "Transmission"),
            _TORRENTS,
            LoginSettings,
            "password",
        ),
        ServiceKind(
            ClientKind.ARIA2,
            Words("aria2", "aria2"),
            Words("Downloads of any kind, by its RPC", "各类下载，经由 RPC"),
            Aria2Settings,
            "secret",
        ),
        ServiceKind(ClientKind.SABNZBD, Words("SABnzbd", "SABnzbd"), _USENET, SabnzbdSettings, "api_key"),
        ServiceKind(ClientKind.NZBGET, Words("NZBGet", "NZBGet"), _USENET, LoginSettings, "password"),
    )
}


def kinds() -> list[dict[str, Any]]:
    """Return every kind: its name and what it is in `en` and `zh`, and the JSON Schema of its settings."""
    return [
        {
            "kind": name,
            "label": asdict(kind.label),
            "about": asdict(kind.about),
            "schema": kind.settings.model_json_schema(),
            "secrets": sorted(secret_names(kind.settings)),
        }
        for name, kind in KINDS.items()
    ]


def known_kind(kind: str) -> ServiceKind:
    """Return the kind of that name; raises ValidationFailed naming `kind`."""
    if kind not in KINDS:
        raise ValidationFailed([FieldError("kind", f"There is no kind {kind!r}.", "unknown_kind")])
    return KINDS[kind]


def checked(kind: ServiceKind, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings as they are stored; raises ValidationFailed naming `settings.<field>`."""
    try:
        given = kind.settings.model_validate(dict(settings))
    except ValidationError as error:
        faults = [
            FieldError(".".join(map(str, ("settings", *one["loc"]))), one["msg"], one["type"])
            for one in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise ValidationFailed(faults) from None
    return given.model_dump(mode="json", exclude_none=True)


def merged(kind: ServiceKind, stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `stored` changed by `given`: null takes a field away, a secret of `***` stays as it is."""
    found = dict(stored)
    for name, value in given.items():
        if value is None:
            found.pop(name, None)
        elif value == MASK and name in secret_names(kind.settings):
            if name not in stored:
                text = "There is no stored secret to keep."
                raise ValidationFailed([FieldError(f"settings.{name}", text, "missing")])
        else:
            found[name] = value
    refuse_moved(stored, found, secret_names(kind.settings))
    return found


def masked(kind: ServiceKind, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings as they may be shown."""
    hidden = secret_names(kind.settings)
    return {name: MASK if name in hidden and value else value for name, value in settings.items()}


def config_of(kind: ServiceKind, name: str, settings: Mapping[str, Any]) -> ClientConfig:
    """Return how this program is reached."""
    return ClientConfig(
        kind.kind,
        name,
        str(settings["url"]).rstrip("/"),
        settings.get("username") or "",
        settings.get(kind.opened_by) or "",
        bool(settings.get("verify_tls", True)),
        _MEND,
    )

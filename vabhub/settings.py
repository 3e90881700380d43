"""Every setting: its variable, default and help. Nothing else reads the environment."""

from __future__ import annotations

import difflib
import hashlib
import os
import secrets
import tempfile
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from vabhub.errors import SettingsError
from vabhub.setting_fields import DownloadClientSettings, Seconds
from vabhub.setting_fields import setting as _setting

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing zero included.
_LONGEST_SOCKET_PATH = 100
_SHORTEST_KEY = 16

# The checkout, so that `vabhub` means the same installation in whatever directory it is called.
HOME = Path(__file__).resolve().parent.parent


class MediaRoot(BaseModel):
    """A folder of media and what it holds."""

    model_config = ConfigDict(frozen=True)
    path: Path
    kind: Literal["movies", "tv", "anime", "music"]


def _media_roots(value: Any) -> Any:
    """Read `/path:movies,/path2:tv`; the kind follows the last colon, so a path may hold colons."""
    if not isinstance(value, str):
        return value
    roots = []
    for part in filter(None, (piece.strip() for piece in value.split(","))):
        path, colon, kind = part.rpartition(":")
        if not colon or not path.startswith("/"):
            raise ValueError(f"expected /path:movies|tv|anime|music, got {part!r}")
        roots.append({"path": path, "kind": kind.strip().lower()})
    return tuple(roots)


def _redis_url(value: Any) -> Any:
    if isinstance(value, str) and not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("expected redis://, rediss:// or unix://")
    return value


def _networks(value: Any) -> Any:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


def _secret_keys(value: str) -> str:
    keys = [part.strip() for part in value.split(",") if part.strip()]
    if not keys or min(map(len, keys)) < _SHORTEST_KEY:
        raise ValueError(
            f"expected {_SHORTEST_KEY} characters or more in each key; `openssl rand -hex 32` prints one"
        )
    return value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class Settings(DownloadClientSettings):
    """All settings, read once at the start and frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Path = _setting("VABHUB_DATA_DIR", Path("data"), "Where the database, the key and Redis live")
    secret_key: Annotated[str, AfterValidator(_secret_keys)] = _setting(
        "SECRET_KEY",
        "",
        "Signs and seals; generated into the data directory (0600) when absent. Several keys, newest first, "
        "separated by commas, rotate it",
        secret=True,
    )
    database_url: str = _setting(
        "DATABASE_URL", "", "SQLite in the data directory when absent; postgres:// is understood", secret=True
    )
    redis_url: Annotated[str, BeforeValidator(_redis_url)] = _setting(
        "REDIS_URL", "", "An embedded Redis in the data directory when absent", secret=True
    )
    redis_is_embedded: bool = Field(False, exclude=True)
    host: str = _setting("HOST", "127.0.0.1", "Address to listen on; 0.0.0.0 lets the home network in")
    port: int = _setting("PORT", 8000, "Port to listen on", ge=1, le=65535)
    admin_user: str | None = _setting(
        "VABHUB_ADMIN_USER", None, "Creates the first account together with the password", max_length=64
    )
    admin_password: str | None = _setting(
        "VABHUB_ADMIN_PASSWORD", None, "Password of the first account, 8 characters or more", secret=True
    )
    media_roots: Annotated[tuple[MediaRoot, ...], BeforeValidator(_media_roots)] = _setting(
        "VABHUB_MEDIA_ROOTS", (), "Folders to count, as /path:movies,/path2:tv (movies, tv, anime, music)"
    )
    library_watches: int = _setting(
        "VABHUB_LIBRARY_WATCHES",
        8192,
        "Folders of the library whose changes are heard of at once; 0 leaves it to the periodic scans",
        ge=0,
        le=1_000_000,
    )
    locale: Annotated[Literal["zh", "en"] | None, BeforeValidator(_lower)] = _setting(
        "VABHUB_LOCALE", None, "zh or en; the browser's language when absent"
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = _setting(
        "VABHUB_LOG_LEVEL", "info", "debug, info, warning or error"
    )
    log_format: Annotated[Literal["console", "json"], BeforeValidator(_lower)] = _setting(
        "VABHUB_LOG_FORMAT", "console", "console for people, json for machines"
    )
    system_interval_s: Seconds = _setting("VABHUB_SYSTEM_INTERVAL_S", 2, "Seconds between system samples")
    downloads_interval_s: Seconds = _setting(
        "VABHUB_DOWNLOADS_INTERVAL_S", 2, "Seconds between questions to a download client"
    )
    dashboard_interval_s: Seconds = _setting("VABHUB_DASHBOARD_INTERVAL_S", 5, "Seconds between overviews")
    ttl_dashboard_s: Seconds = _setting("VABHUB_TTL_DASHBOARD_S", 30, "Oldest overview that is served")
    ttl_system_s: Seconds = _setting("VABHUB_TTL_SYSTEM_S", 10, "Oldest system numbers that are served")
    ttl_media_s: Seconds = _setting("VABHUB_TTL_MEDIA_S", 60, "Oldest library numbers that are served")
    ttl_downloads_s: Seconds = _setting("VABHUB_TTL_DOWNLOADS_S", 5, "Oldest download list that is served")
    ttl_storage_s: Seconds = _setting("VABHUB_TTL_STORAGE_S", 30, "Oldest disk numbers that are served")
    cache_memory_s: Seconds = _setting(
        "VABHUB_CACHE_MEMORY_S", 300, "Longest that a cached value stays in a process's memory"
    )
    cache_redis_s: Seconds = _setting(
        "VABHUB_CACHE_REDIS_S", 3600, "Longest that a cached value stays in Redis"
    )
    cache_database_s: Seconds = _setting(
        "VABHUB_CACHE_DATABASE_S", 86400, "Longest that a cached value stays in the database"
    )
    cache_entries: int = _setting("VABHUB_CACHE_ENTRIES", 10_000, "Most cached values in a process", ge=1)
    cache_mb: int = _setting("VABHUB_CACHE_MB", 32, "Most megabytes of them", ge=1, le=4096)
    web_workers: int = _setting("WEB_CONCURRENCY", 1, "Web processes", ge=1, le=64)
    worker_threads: int = _setting("VABHUB_WORKER_THREADS", 8, "Threads that deliver", ge=1, le=64)
    max_sockets: int = _setting("VABHUB_MAX_SOCKETS", 5000, "Live sockets a web process accepts", ge=1)
    retention_days: int = _setting(
        "VABHUB_RETENTION_DAYS", 90, "Days that what was sent is kept", ge=1, le=36500
    )
    session_days: int = _setting("VABHUB_SESSION_DAYS", 30, "Days until a sign-in expires", ge=1, le=365)
    outbound_allow: Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)] = _setting(
        "VABHUB_OUTBOUND_ALLOW",
        (),
        "Addresses or networks that channels may call although they are refused by default (VabHub itself, "
        "a cloud's metadata service), separated by commas",
    )
    trusted_proxies: int = _setting(
        "VABHUB_TRUSTED_PROXIES", 0, "Reverse proxies in front whose X-Forwarded headers count", ge=0, le=5
    )


VARIABLES: dict[str, str] = {
    field.json_schema_extra["env"]: name  # type: ignore[index,misc]
    for name, field in Settings.model_fields.items()
    if field.json_schema_extra
}

_settings: Settings | None = None


def get_settings() -> Settings:
    """Return this process's settings, reading the environment on the first call."""
    global _settings
    if _settings is None:
        _settings = load_settings()
    return _settings


def use_settings(settings: Settings | None) -> None:
    """Replace this process's settings; None reads the environment again at the next call."""
    global _settings
    _settings = settings


def environment() -> dict[str, str]:
    """Return the environment, with what it lacks from `.env` (VABHUB_ENV_FILE names another file)."""
    path = os.environ.get("VABHUB_ENV_FILE") or HOME / ".env"
    return {**{name: value for name, value in dotenv_values(path).items() if value}, **os.environ}


def unknown_variables(env: Mapping[str, str]) -> dict[str, str | None]:
    """Return what is named like a setting of ours and is none, each with the setting it may mean."""
    known = {"VABHUB_ENV_FILE", *VARIABLES, *(f"{variable}_FILE" for variable in VARIABLES)}
    return {name: _closest(name) for name in sorted(env) if name.startswith("VABHUB_") and name not in known}


def _closest(name: str) -> str | None:
    ours = {variable.removeprefix("VABHUB_"): variable for variable in VARIABLES}
    found = difflib.get_close_matches(name.removeprefix("VABHUB_"), ours, n=1)
    return ours[found[0]] if found else None


def without_password(url: str) -> str:
    """Return an address that may be shown: no user, no password, no query, no driver."""
    parts = urlsplit(url)
    scheme, host = parts.scheme.partition("+")[0], parts.netloc.rpartition("@")[2]
    if "@" in parts.path + parts.query + parts.fragment:  # a password with / or ? in it: no telling its end
        return f"{scheme}://…"
    return f"{scheme}://{host}{parts.path}"


def load_settings(env: Mapping[str, str] | None = None) -> Settings:
    """Read and check every variable of `env`, or of environment() when none is given.

    Raises SettingsError that names the variable and what was expected; the value is never repeated for
    a secret.
    """
    if env is None:
        env = environment()
    try:
        given = Settings(**_given(env))
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None
    _check_together(given, env)
    return _resolve(given)


def _given(env: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for variable, name in VARIABLES.items():
        if env.get(variable):
            found[name] = env[variable]
        elif env.get(f"{variable}_FILE"):
            found[name] = _read_file(f"{variable}_FILE", env[f"{variable}_FILE"])
    return found


def _read_file(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"{variable} names {path}, which cannot be read: {reason}.") from error


def _explain(error: ValidationError) -> str:
    lines = []
    for fault in error.errors(include_url=False):
        name = str(fault["loc"][0])
        extra = Settings.model_fields[name].json_schema_extra
        assert isinstance(extra, dict)
        shown = "" if extra["secret"] else f" (got {str(fault['input'])[:80]!r})"
        lines.append(f"{extra['env']}: {fault['msg'].removeprefix('Value error, ')}{shown}.")
    return " ".join(lines)


def _check_together(given: Settings, env: Mapping[str, str]) -> None:
    if bool(given.admin_user) != bool(given.admin_password):
        missing = "VABHUB_ADMIN_PASSWORD" if given.admin_user else "VABHUB_ADMIN_USER"
        raise SettingsError(f"{missing} is missing: the first account needs a name and a password.")
    if given.admin_password and len(given.admin_password) < 8:
        raise SettingsError("VABHUB_ADMIN_PASSWORD: expected 8 characters or more.")
    for variable, value in (("DATABASE_URL", given.database_url), ("REDIS_URL", given.redis_url)):
        if env.get("DYNO") and not value:
            raise SettingsError(
                f"{variable} is missing: on a platform with several machines SQLite and the embedded Redis "
                "would be lost at every restart. Add a database and a Redis to the application."
            )


def _resolve(given: Settings) -> Settings:
    data_dir = (HOME / given.data_dir.expanduser()).absolute()
    changes: dict[str, Any] = {"data_dir": data_dir, "database_url": _database_url(given, data_dir)}
    if not given.redis_url:
        changes |= {"redis_url": f"unix://{_redis_socket(data_dir)}", "redis_is_embedded": True}
    changes["secret_key"] = given.secret_key or _stored_key(data_dir)
    return given.model_copy(update=changes)


def _database_url(given: Settings, data_dir: Path) -> str:
    url = given.database_url or f"sqlite:///{data_dir / 'vabhub.db'}"
    for short in ("postgres://", "postgresql://"):
        if url.startswith(short):
            return "postgresql+psycopg://" + url.removeprefix(short)
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise SettingsError("DATABASE_URL: expected sqlite:///… or postgresql://….")
    return url


def _redis_socket(data_dir: Path) -> Path:
    """Return where the embedded Redis listens: every process must find the same place."""
    path = data_dir / "redis" / "redis.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"vabhub-{os.getuid()}-{digest}" / "redis.sock"


def _stored_key(data_dir: Path) -> str:
    """Return the generated key, making it on the first start; safe when several processes start at once."""
    path = data_dir / "secret_key"
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _write_new_key(path)
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "secret_key in it is no key of ours"
        raise SettingsError(
            f"VABHUB_DATA_DIR: {data_dir} cannot be used: {reason}. "
            "Choose a directory that this user can write to."
        ) from error


def _write_new_key(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # unlike rename, fails when another process was first
    except FileExistsError:
        pass
    finally:
        draft.unlink()

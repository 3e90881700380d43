"""`vabhub doctor`: asks every part whether it works, and says how to mend what does not."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vabhub.commands import keep_quiet
from vabhub.errors import SettingsError, VabHubError

if TYPE_CHECKING:
    from vabhub.commands import Subcommands
    from vabhub.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one part; `mend` says what to do when it is not well."""

    part: str
    text: str
    mend: str | None = None
    is_warning: bool = False

    def line(self) -> str:
        """Return it as the person reads it."""
        state = "warn" if self.is_warning else "fail" if self.mend else "ok  "
        return f"{state}  {self.part:<14}  {self.text}" + (f"\n      → {self.mend}" if self.mend else "")


def add_to(commands: Subcommands) -> None:
    """Declare the arguments."""
    parser = commands.add_parser("doctor", help="check every part and say how to mend what fails")
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Print one line a part; 0 when all are well, 1 otherwise. No secret is ever printed."""
    from vabhub.settings import get_settings

    keep_quiet()
    try:
        settings = get_settings()
    except SettingsError as error:
        _show(Finding("settings", error.message, "correct it in the environment or in .env"))
        return 1
    _show(Finding("settings", "every setting can be read"))
    _warn_of_unknown()
    well = True
    for finding in _examine(settings):
        _show(finding)
        well = well and finding.mend is None
    return 0 if well else 1


def _warn_of_unknown() -> None:
    from vabhub.settings import environment, unknown_variables

    for name, meant in unknown_variables(environment()).items():
        advice = f"{meant} is the closest one" if meant else "docs/settings.md lists them all"
        _show(Finding("settings", f"{name} is set, and no setting has this name", advice, is_warning=True))


def _show(finding: Finding) -> None:
    sys.stdout.write(finding.line() + "\n")
    sys.stdout.flush()


def _examine(settings: Settings) -> Iterator[Finding]:
    yield _data_dir(settings.data_dir)
    database = _database(settings)
    yield database
    yield _redis(settings)
    if database.mend is None:
        yield from _guarded("channels", _channels)
        yield from _guarded("secrets", _seals)
    yield from _guarded("downloads", lambda: _download_clients(settings, has_database=database.mend is None))
    yield from _media_roots(settings)


def _data_dir(path: Path) -> Finding:
    if path.is_dir() and os.access(path, os.W_OK | os.X_OK):
        free_gib = os.statvfs(path).f_bavail * os.statvfs(path).f_frsize / 2**30
        mend = "free some space: below 0.2 GiB nothing can be stored safely" if free_gib < 0.2 else None
        return Finding("data directory", f"{path}, {free_gib:.1f} GiB free", mend)
    return Finding(
        "data directory", f"{path} cannot be written to", "give it to this user or set VABHUB_DATA_DIR"
    )


def _database(settings: Settings) -> Finding:
    from vabhub import migrate
    from vabhub.commands.migrate import reason

    where = urlsplit(settings.database_url)
    kind = "SQLite" if where.scheme == "sqlite" else f"PostgreSQL on {where.hostname}"
    try:
        current, newest = migrate.current(), migrate.newest()
    except VabHubError as error:
        return Finding(
            "database", f"{kind} does not answer: {reason(error)}", "start it or correct DATABASE_URL"
        )
    if current != newest:
        found = f"at revision {current}" if current else "empty"
        return Finding("database", f"{kind} is {found}, needed is {newest}", "run `vabhub migrate`")
    return Finding("database", f"{kind}, revision {current}")


def _redis(settings: Settings) -> Finding:
    import redis

    from vabhub import redis_client, redis_server
    from vabhub.settings import without_password

    try:
        version = redis_client.get_redis().info("server").get("redis_version")
        return Finding(
            "redis", f"{'embedded' if settings.redis_is_embedded else 'REDIS_URL'}, version {version}"
        )
    except (redis.RedisError, OSError) as error:
        if not settings.redis_is_embedded:
            shown = f"{without_password(settings.redis_url)} does not answer: {str(error).rstrip('.')}"
            return Finding("redis", shown, "start it or correct REDIS_URL")
    program = redis_server.find_server()
    if program is None:
        return Finding("redis", "there is none", redis_server.MISSING)
    return Finding("redis", f"embedded, not running now; `vabhub up` starts {program}")


def _channels() -> Iterator[Finding]:
    from vabhub.db import reading
    from vabhub.notify import channels_admin

    with reading() as session:
        for channel in channels_admin.list_channels(session):
            name = f"channel {channel['name']}"
            because = channel["state_reason"]
            if channel["state"] == "unreadable":
                yield Finding(name, str(because), "give the old key back, or enter its settings again")
            elif channel["state"] == "refused":
                yield Finding(name, f"disabled: {because}", "correct its settings, then send a test")
            elif channel["state"] == "held":
                yield Finding(name, f"held: {because}", "see to the provider; it is tried on by itself")
            else:
                yield Finding(name, f"{channel['kind']}, {'on' if channel['enabled'] else 'switched off'}")


def _seals() -> Iterator[Finding]:
    from vabhub.db import reading
    from vabhub.notify.reseal import old_seals

    with reading() as session:
        found = old_seals(session)
    if found.lost:
        yield Finding(
            "secrets", f"cannot be opened: {', '.join(found.lost)}", "put their key into SECRET_KEY"
        )
    elif found.count:
        text = f"{found.count} sealed with an older key"
        yield Finding("secrets", text, "run `vabhub reseal`, then take it out of SECRET_KEY", is_warning=True)
    else:
        yield Finding("secrets", "all sealed with the newest key")


def _download_clients(settings: Settings, *, has_database: bool) -> Iterator[Finding]:
    from vabhub.collectors.downloads import from_settings, read_all, snapshot_of
    from vabhub.collectors.services import configured
    from vabhub.settings import without_password

    # Without the database, or before its migrations, those of the environment are known.
    clients = configured(settings) if has_database else from_settings(settings)
    if not clients:
        yield Finding("downloads", "no download client is configured")
    for client in clients:
        # Each by itself, so that it is waited for: one that hangs is late in the snapshot of all.
        error = snapshot_of(read_all([client])).error
        if error is None:
            yield Finding(client.name, f"{without_password(client.url)} answers")
        else:
            yield _failing_client(client.name, error)


def _failing_client(name: str, error: str) -> Finding:
    # A fault says what is wrong, then what to do about it, the address and the settings included.
    text, *advice = re.split(r"\. |: (?=set )", error.rstrip("."), maxsplit=1)
    return Finding(name, text, advice[0] if advice else f"check VABHUB_{name.upper()}_URL")


def _media_roots(settings: Settings) -> Iterator[Finding]:
    for root in settings.media_roots:
        readable = root.path.is_dir() and os.access(root.path, os.R_OK | os.X_OK)
        mend = None if readable else "mount it, or correct VABHUB_MEDIA_ROOTS"
        yield Finding(f"media {root.kind}", f"{root.path}{'' if readable else ' cannot be read'}", mend)


def _guarded(part: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except VabHubError as error:
        yield Finding(part, error.message, "mend what is reported above, then run it again")

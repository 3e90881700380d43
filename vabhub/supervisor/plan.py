"""What to run, worked out from the settings by a short-lived child (`python -m vabhub.supervisor.plan`)."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from vabhub.errors import SettingsError, VabHubError
from vabhub.supervisor.child import child_env


@dataclass(frozen=True, slots=True)
class Plan:
    """The few settings that the supervisor itself needs."""

    data_dir: str
    host: str
    port: int
    redis_socket: str | None
    """Where the embedded Redis listens; None when REDIS_URL names another."""
    json_lines: bool
    unknown: dict[str, str | None] = field(default_factory=dict)
    """Variables named like settings that are none, each with the setting it may mean."""

    @property
    def address(self) -> str:
        """The host that reaches us from this machine."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104

    @property
    def url(self) -> str:
        """Where a browser on this machine finds us."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{host}:{self.port}"


def make_plan() -> Plan:
    """Ask a child for the plan. Raises SettingsError with the child's one line when settings are wrong."""
    done = subprocess.run(
        [sys.executable, "-m", "vabhub.supervisor.plan"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=child_env(),
    )
    if done.returncode != 0:
        raise SettingsError(done.stderr.strip() or f"reading the settings ended with {done.returncode}")
    return Plan(**json.loads(done.stdout))


def refuse_taken_port(plan: Plan) -> None:
    """Raise SettingsError when we could not listen where the settings say."""
    try:
        found = socket.getaddrinfo(
            plan.host or None, plan.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except socket.gaierror as error:
        raise SettingsError(
            f"HOST: {plan.host} is not an address of this machine: {error.strerror}."
        ) from error
    except OSError as error:
        raise SettingsError(_cannot_listen(plan, error)) from error


def _cannot_listen(plan: Plan, error: OSError) -> str:
    host = f"[{plan.host}]" if ":" in plan.host else plan.host
    said = f"cannot listen on {host}:{plan.port}: {os.strerror(error.errno or 0)}."
    if error.errno == errno.EADDRINUSE:
        return f"PORT: {said} Stop the program that uses it, or choose another PORT."
    if error.errno == errno.EACCES:
        why = "Ports below 1024 are for root" if plan.port < 1024 else "This user may not"
        return f"PORT: {said} {why}; choose a PORT from 1024 upwards."
    return (
        f"HOST: {said} {plan.host} is no address of this machine: use 127.0.0.1 for this machine only, "
        "or 0.0.0.0 to let the home network in."
    )


def _work_out() -> Plan:
    from vabhub.settings import environment, get_settings, unknown_variables

    settings = get_settings()
    if not settings.redis_is_embedded:
        _refuse_silent_redis(settings.redis_url)
    return Plan(
        data_dir=str(settings.data_dir),
        host=settings.host,
        port=settings.port,
        redis_socket=urlsplit(settings.redis_url).path if settings.redis_is_embedded else None,
        json_lines=settings.log_format == "json",
        unknown=unknown_variables(environment()),
    )


def _refuse_silent_redis(url: str) -> None:
    import redis

    from vabhub.settings import without_password

    client = redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3)
    try:
        client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        raise SettingsError(
            f"REDIS_URL: {without_password(url)} does not answer: {str(error).rstrip('.')}. "
            "Start that Redis, or unset REDIS_URL to use our own."
        ) from None
    finally:
        client.close()


if __name__ == "__main__":
    try:
        sys.stdout.write(json.dumps(asdict(_work_out())))
    except VabHubError as error:
        sys.stderr.write(f"{error.message}\n")
        sys.exit(1)

"""How gunicorn serves the web process: gevent, so that thousands of sockets share a few megabytes."""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import FrameType
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from vabhub.errors import SettingsError
from vabhub.log import configure_logging
from vabhub.settings import get_settings

try:
    _settings = get_settings()
except SettingsError as _error:
    sys.stderr.write(f"vabhub web: {_error.message}\n")
    sys.exit(1)

configure_logging(process="web", level=_settings.log_level, json_lines=_settings.log_format == "json")


class OurLogger(Logger):  # type: ignore[misc]
    """Sends gunicorn's own lines the way of all others."""

    def setup(self, cfg: Any) -> None:
        """Drop gunicorn's handlers and formats."""
        super().setup(cfg)
        self.error_log.handlers[:] = []
        self.error_log.propagate = True


_host = f"[{_settings.host}]" if ":" in _settings.host else _settings.host

bind = [f"{_host}:{_settings.port}"]
worker_class = "web.gevent_worker.IdleAwareWorker"
workers = _settings.web_workers
# A socket holds a connection for as long as it lives; requests must find room beside them.
worker_connections = _settings.max_sockets + 1000
timeout = 60
graceful_timeout = 20
# Longer than reverse proxies keep an idle connection (nginx 60 s, Traefik 90 s, Caddy 120 s): a request on
# one that we close at that moment becomes a 502.
keepalive = 125
# The heartbeat file is touched every second: in memory, not on a NAS's disk.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
control_socket_disable = True
logger_class = OurLogger
accesslog = None
# At `info` gunicorn tells each step of its own start; the supervisor's ready line says what matters.
loglevel = "warning" if _settings.log_level == "info" else _settings.log_level
proc_name = "vabhub"
# gunicorn believes X-Forwarded-Proto of these; the application counts the proxies itself.
forwarded_allow_ips = "*" if _settings.trusted_proxies else ""


def post_worker_init(worker: Any) -> None:
    """Once the application is loaded: warm it, keep it out of garbage collection, mind its sockets' end."""
    from web import live, warm_up

    _close_sockets_first(worker)
    warm_up.start(worker.wsgi)
    gc.collect()
    gc.freeze()
    live.hub()  # it also says how this process does, with a socket or without


def _close_sockets_first(worker: Any) -> None:
    """Let the live sockets end as soon as the worker is asked to: gunicorn waits for them otherwise."""
    from web import live

    if worker.cfg.worker_class_str == "gthread":
        live.leave_threads_for_http(worker.cfg.threads)

    def leave(number: int, frame: FrameType | None) -> None:
        worker.handle_exit(number, frame)
        live.shutdown_soon()

    signal.signal(signal.SIGTERM, leave)

"""Structured logs: constant dotted event names, values as fields, ids bound once at the edge."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

get_logger = structlog.stdlib.get_logger


def bind(**ids: Any) -> None:
    """Put ids (request, delivery, task) into every line of this thread or greenlet from here on."""
    structlog.contextvars.bind_contextvars(**ids)


def unbind_all() -> None:
    """Forget what was bound: the edge calls it when a request or a task ends."""
    structlog.contextvars.clear_contextvars()


def configure_logging(*, process: str, level: str = "info", json_lines: bool = False) -> None:
    """Send structlog and the standard library's records to stdout, one line each.

    `process` is the field that tells web, worker and scheduler apart. Lines are JSON for machines or
    short text for people; colours come from the supervisor, which knows whether it has a terminal.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        # First, so that a line below the level costs nothing: each request writes one at debug.
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(process, json_lines=json_lines),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # These write a line for each request or connection, addresses included.
    for noisy in ("httpx", "httpcore", "urllib3", "alembic", "apscheduler", "qbittorrentapi", "rebulk"):
        logging.getLogger(noisy).setLevel("WARNING")


def _renderers(process: str, *, json_lines: bool) -> list[Any]:
    if not json_lines:
        # A plain traceback: the pretty one prints local variables, secrets among them.
        return [
            structlog.dev.ConsoleRenderer(
                colors=False,
                pad_event_to=32,
                sort_keys=False,
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]

    def add_process(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        return {"process": process, **event}

    return [structlog.processors.format_exc_info, add_process, structlog.processors.JSONRenderer()]

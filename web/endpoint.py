"""Declares a route once: method, path, who may call, what comes in and what goes out.

The guard, the parser and `/api/openapi.json` all read that one declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar

from flask import Blueprint, Flask, Response
from flask.typing import ResponseReturnValue
from pydantic import BaseModel

from vabhub.accounts import Scope
from web.envelope import Answer, success
from web.parsing import read_body, read_query

P = ParamSpec("P")
R = TypeVar("R")
V = TypeVar("V")


class Access(StrEnum):
    """Who may call, where a scope is not the answer."""

    OPEN = "open"  # no credential
    SETUP = "setup"  # no credential until the first account exists
    ANY = "any"  # any valid credential, whatever its scopes
    OWN = "own"  # the route checks for itself: the socket, the metrics


@dataclass(frozen=True, slots=True)
class Operation:
    """What one REST endpoint declares. `scope` is a Scope, or an Access where no scope fits."""

    method: str
    scope: Scope | Access
    summary: str
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: Any = None
    status: int = 200
    body_required: bool = True
    description: str = ""
    errors: tuple[int, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


class _Scaffold(Protocol):
    def add_url_rule(
        self, rule: str, endpoint: str | None = ..., view_func: Any = ..., *, methods: list[str]
    ) -> None: ...


def endpoint(
    scaffold: Blueprint | Flask, method: str, *paths: str, scope: Scope | Access, summary: str, **more: Any
) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Declare a REST endpoint under one path and its aliases.

    The view gets the path's parameters, and `body` and `query` where their models are declared. It returns
    the data, an `Answer` where a message, meta or headers go along, or a finished response.
    """
    operation = Operation(method=method, scope=scope, summary=summary, **more)

    def declare(view: Callable[P, Any]) -> Callable[P, Any]:
        @wraps(view)
        def call(**arguments: Any) -> ResponseReturnValue:
            return _respond(operation, view(**arguments, **_input(operation)))  # type: ignore[call-arg]

        call.operation = operation  # type: ignore[attr-defined]
        for path in paths:
            scaffold.add_url_rule(path, view.__name__, protect(call, scope), methods=[method])
        return view

    return declare


def page(
    scaffold: Blueprint | Flask, path: str, *, access: Scope | Access, methods: tuple[str, ...] = ("GET",)
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a route that answers with a page or a file instead of an envelope."""

    def declare(view: Callable[P, R]) -> Callable[P, R]:
        guarded: Any = protect(view, access)
        scaffold.add_url_rule(path, view.__name__, guarded, methods=list(methods))
        return view

    return declare


def protect(view: V, access: Scope | Access) -> V:
    """Write on the view who may call it; the guard refuses every view without that note."""
    view.access = access  # type: ignore[attr-defined]
    return view


def access_of(view: Any) -> Scope | Access | None:
    """Return who may call this view, None when nobody ever said."""
    return getattr(view, "access", None)


def operation_of(view: Any) -> Operation | None:
    """Return the REST declaration of a view, None for pages and files."""
    return getattr(view, "operation", None)


def _input(operation: Operation) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if operation.body is not None:
        given["body"] = read_body(operation.body, required=operation.body_required)
    query = read_query(operation.query, strict=operation.method != "GET")
    if operation.query is not None:
        given["query"] = query
    return given


def _respond(operation: Operation, result: Any) -> ResponseReturnValue:
    if isinstance(result, Response):
        return result
    answer = result if isinstance(result, Answer) else Answer(result)
    return success(answer, status=answer.status or operation.status)

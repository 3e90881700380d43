"""What the live socket needs to know about callers; `web.auth` provides it."""

from __future__ import annotations

from typing import Any, Protocol

from vabhub.accounts import Scope


class Principal(Protocol):
    """Who opened the socket; `web.auth.Principal` is one."""

    @property
    def name(self) -> str: ...

    def has(self, scope: Scope) -> bool: ...


class Auth(Protocol):
    """What the socket asks about credentials."""

    def principal_for_token(self, token: str) -> Any: ...

    def is_current(self, principal: Any) -> bool: ...

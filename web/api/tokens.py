"""Tokens for programs."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from vabhub import accounts
from vabhub.accounts import Scope
from vabhub.db import reading, transaction
from vabhub.models.account import ApiToken
from web.endpoint import endpoint
from web.envelope import Answer
from web.schemas import NewTokenOut, TokenOut

bp = Blueprint("tokens", __name__)


class NewToken(BaseModel):
    """A token to create."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100)
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    expires_at: AwareDatetime | None = None


@endpoint(
    bp,
    "POST",
    "/tokens",
    scope=Scope.ADMIN,
    summary="Create a token; its secret is shown this once",
    body=NewToken,
    answer=NewTokenOut,
    status=201,
    errors=(409,),
)
def create(body: NewToken) -> Answer:
    """Create a token."""
    with transaction() as session:
        row, secret = accounts.create_token(session, body.name, body.scopes, body.expires_at)
        view = _view(row) | {"token": secret}
    return Answer(view, "Keep this token: it is not shown again.")


@endpoint(
    bp, "GET", "/tokens", scope=Scope.ADMIN, summary="List the tokens, without secrets", answer=list[TokenOut]
)
def listing() -> list[dict[str, Any]]:
    """Return every token that was not revoked."""
    with reading() as session:
        return [_view(row) for row in accounts.list_tokens(session)]


@endpoint(
    bp,
    "DELETE",
    "/tokens/<id:token_id>",
    scope=Scope.ADMIN,
    summary="Revoke a token",
    answer=TokenOut,
    errors=(404,),
)
def revoke(token_id: int) -> Answer:
    """Revoke a token at once."""
    with transaction() as session:
        row = accounts.revoke_token(session, token_id)
        return Answer(_view(row), "The token was revoked.")


def _view(row: ApiToken) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "scopes": row.scopes,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "last_used_at": row.last_used_at,
    }

"""Export and import: channels and templates as one YAML file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field

from vabhub.accounts import Scope
from vabhub.db import reading
from vabhub.notify.exporting import Secrets, export
from vabhub.notify.importing import import_yaml
from web.endpoint import endpoint
from web.envelope import Answer
from web.schemas import ExportOut, ImportOut

bp = Blueprint("portable", __name__)


class ExportBody(BaseModel):
    """The body of `POST /api/export`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    secrets: Secrets = Field(Secrets.MASKED, description="masked, sealed for the same SECRET_KEY, or plain")


class ImportBody(BaseModel):
    """The body of `POST /api/import`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    yaml: Annotated[str, Field(min_length=1, max_length=524_288)]
    dry_run: bool = Field(False, description="Say what would change, and change nothing")


@endpoint(
    bp,
    "GET",
    "/export",
    scope=Scope.READ,
    summary="Channels and templates as one YAML file, secrets left out",
    answer=ExportOut,
)
def export_masked() -> Any:
    """Return the file without secrets."""
    return _export(Secrets.MASKED)


@endpoint(
    bp,
    "POST",
    "/export",
    scope=Scope.ADMIN,
    summary="The same file; secrets left out, sealed, or in the clear",
    body=ExportBody,
    body_required=False,
    answer=ExportOut,
)
def export_with_secrets(body: ExportBody) -> Any:
    """Return the file with what was asked for in place of secrets."""
    return _export(body.secrets)


@endpoint(
    bp,
    "POST",
    "/import",
    scope=Scope.ADMIN,
    summary="Create and change what such a file names, or say what that would change",
    description="Checked as a whole before anything is written. What the file does not name stays. A secret "
    'of "***" is kept where the channel exists.',
    body=ImportBody,
    answer=ImportOut,
)
def take(body: ImportBody) -> Any:
    """Take a file in."""
    changes = [asdict(change) for change in import_yaml(body.yaml, dry_run=body.dry_run)]
    message = "Nothing was changed: a dry run." if body.dry_run else "The file was taken in."
    return Answer({"dry_run": body.dry_run, "changes": changes}, message)


def _export(secrets: Secrets) -> dict[str, Any]:
    with reading() as session:
        made = export(session, secrets)
    return {"yaml": made.yaml, "secrets": secrets.value, "left_out": list(made.left_out)}

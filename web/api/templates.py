"""Templates: the words of a notification, by event, channel and language."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from vabhub.accounts import Scope
from vabhub.db import reading, transaction
from vabhub.notify import templates_admin, trial
from vabhub.notify.templates_admin import NewTemplate
from vabhub.notify.trial import Preview
from web.endpoint import endpoint
from web.envelope import Answer
from web.schemas import EventOut, PreviewOut, TemplateOut

bp = Blueprint("templates", __name__)


@endpoint(bp, "GET", "/templates", scope=Scope.READ, summary="List the templates", answer=list[TemplateOut])
def listing() -> Any:
    """Return every template."""
    with reading() as session:
        return templates_admin.list_templates(session)


@endpoint(
    bp,
    "GET",
    "/templates/events",
    scope=Scope.READ,
    summary="The events, the variables of each with an example, and the words VabHub ships",
    answer=list[EventOut],
)
def listing_events() -> Any:
    """Return every event."""
    with reading() as session:
        return trial.list_events(session)


@endpoint(
    bp,
    "POST",
    "/templates/preview",
    scope=Scope.ADMIN,
    summary="Render texts that are not saved, on an example or on a notification that was sent",
    description="Answers 200 also for a broken text: `errors` names field, line and reason.",
    body=Preview,
    answer=PreviewOut,
    errors=(404,),
)
def preview(body: Preview) -> Any:
    """Render texts without saving them."""
    with reading() as session:
        return trial.preview(session, body)


@endpoint(
    bp,
    "POST",
    "/templates",
    scope=Scope.ADMIN,
    summary="Create a template",
    body=NewTemplate,
    answer=TemplateOut,
    status=201,
    errors=(409,),
)
def create(body: NewTemplate) -> Any:
    """Create a template; a broken one is refused with line and reason."""
    with transaction() as session:
        return Answer(templates_admin.create_template(session, body), "The template was created.")


@endpoint(
    bp,
    "GET",
    "/templates/<id:template_id>",
    scope=Scope.READ,
    summary="One template",
    answer=TemplateOut,
    errors=(404,),
)
def show(template_id: int) -> Any:
    """Return one template."""
    with reading() as session:
        return templates_admin.get_template(session, template_id)


@endpoint(
    bp,
    "PUT",
    "/templates/<id:template_id>",
    scope=Scope.ADMIN,
    summary="Replace a template",
    body=NewTemplate,
    answer=TemplateOut,
    errors=(404, 409),
)
def replace(template_id: int, body: NewTemplate) -> Any:
    """Replace a template; a broken one is refused with line and reason."""
    with transaction() as session:
        return Answer(
            templates_admin.replace_template(session, template_id, body), "The template was changed."
        )


@endpoint(
    bp,
    "DELETE",
    "/templates/<id:template_id>",
    scope=Scope.ADMIN,
    summary="Delete a template; the default takes its place",
    errors=(404,),
)
def delete(template_id: int) -> Any:
    """Delete a template."""
    with transaction() as session:
        templates_admin.delete_template(session, template_id)
    return Answer(None, "The template was deleted.")

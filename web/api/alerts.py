"""Alerts: what is firing and what was, and the rules behind it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from vabhub.accounts import Scope
from vabhub.alerts import rules
from vabhub.alerts.listing import AlertQuery, list_alerts
from vabhub.alerts.rules import NewRule, RuleChange
from vabhub.db import reading, transaction
from web.endpoint import endpoint
from web.envelope import Answer
from web.schemas import AlertRuleOut, Paged

bp = Blueprint("alerts", __name__)


@endpoint(
    bp,
    "GET",
    "/alerts",
    scope=Scope.READ,
    summary="What is firing, pending or over, newest first",
    query=AlertQuery,
    answer=Paged,
)
def listing(query: AlertQuery) -> Any:
    """Return a page of alerts."""
    with reading() as session:
        return list_alerts(session, query)


@endpoint(bp, "GET", "/alerts/rules", scope=Scope.READ, summary="List the rules", answer=list[AlertRuleOut])
def listing_rules() -> Any:
    """Return every rule."""
    with reading() as session:
        return rules.list_rules(session)


@endpoint(
    bp,
    "POST",
    "/alerts/rules",
    scope=Scope.ADMIN,
    summary="Make a rule",
    body=NewRule,
    answer=AlertRuleOut,
    status=201,
    errors=(409,),
)
def create(body: NewRule) -> Any:
    """Make a rule."""
    with transaction() as session:
        return Answer(rules.create_rule(session, body), "The rule was made.")


@endpoint(
    bp,
    "PATCH",
    "/alerts/rules/<id:rule_id>",
    scope=Scope.ADMIN,
    summary="Change a rule; what it had open is closed and judged anew",
    body=RuleChange,
    answer=AlertRuleOut,
    errors=(404,),
)
def change(rule_id: int, body: RuleChange) -> Any:
    """Change a rule."""
    with transaction() as session:
        return Answer(rules.change_rule(session, rule_id, body), "The rule was changed.")


@endpoint(
    bp,
    "DELETE",
    "/alerts/rules/<id:rule_id>",
    scope=Scope.ADMIN,
    summary="Delete a rule; what it had open is closed",
    errors=(404,),
)
def delete(rule_id: int) -> Any:
    """Delete a rule."""
    with transaction() as session:
        rules.delete_rule(session, rule_id)
    return Answer(None, "The rule was deleted.")

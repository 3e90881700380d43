"""Runs templates that people write: little of Jinja, and bounds on what one may cost (docs/adr/)."""

from vabhub.sandbox.engine import Template, compile_template, unknown_name
from vabhub.sandbox.faults import TemplateFault

__all__ = ["Template", "TemplateFault", "compile_template", "unknown_name"]

"""Compiles and renders a template in Jinja's sandbox, within a budget."""

from __future__ import annotations

import operator as operators
from collections.abc import Collection, Mapping
from functools import lru_cache
from types import TracebackType
from typing import Any

from jinja2 import StrictUndefined, Undefined, meta, nodes, pass_context
from jinja2 import Template as Compiled
from jinja2.exceptions import TemplateSyntaxError, UndefinedError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from vabhub.sandbox import filters
from vabhub.sandbox.budget import MOST_OUTPUT_BYTES, current, spending
from vabhub.sandbox.faults import OverBudget, TemplateFault
from vabhub.sandbox.syntax import METHODS, MOST_SOURCE_BYTES, checked

_LARGEST_NUMBER = 10**15
_OPERATORS = {
    "+": operators.add,
    "-": operators.sub,
    "*": operators.mul,
    "/": operators.truediv,
    "//": operators.floordiv,
    "%": operators.mod,
}


@pass_context  # so that Jinja calls it when rendering and never while compiling
def _finalize(_context: Context, value: Any) -> str:
    current().step()
    return filters.scalar_text(value)


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset((*_OPERATORS, "**"))

    def __init__(self) -> None:
        # Not optimized: folding a constant computes it while compiling, without a budget.
        super().__init__(
            undefined=StrictUndefined,
            finalize=_finalize,
            optimized=False,
            cache_size=0,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.filters = filters.ALL
        self.globals = {"range": filters.bounded_range}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return checked(super()._parse(source, name, filename))

    def is_safe_callable(self, obj: Any) -> bool:
        """Allow range() and harmless methods of texts, dicts and loops, nothing else."""
        if obj is filters.bounded_range:
            return True
        owner = getattr(obj, "__self__", None)
        return isinstance(owner, str | dict | LoopContext) and getattr(obj, "__name__", "") in METHODS

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute with numbers of a sane size, and join texts or lists of a sane length."""
        current().step()
        if operator == "+" and isinstance(left, str | list) and isinstance(right, type(left)):
            current().make(len(left) + len(right))
        elif operator not in _OPERATORS or not (_is_sane(left) and _is_sane(right)):
            if isinstance(left, Undefined) or isinstance(right, Undefined):
                str(left), str(right)  # raises, and says what is undefined
            raise TypeError(f"{operator} takes two numbers here, up to 10 to the 15th")
        return _OPERATORS[operator](left, right)


class Template:
    """One compiled template; safe to render in several threads."""

    def __init__(self, source: str, compiled: Compiled) -> None:
        self.source = source
        self._compiled = compiled

    def render(self, values: Mapping[str, Any]) -> str:
        """Return the text; raises TemplateFault for whatever goes wrong, with the line."""
        try:
            with spending():
                return self._run(values)
        except OverBudget as error:
            raise TemplateFault(str(error), self._line(error.__traceback__)) from error
        except UndefinedError as error:
            raise TemplateFault(str(error), self._line(error.__traceback__), missing=True) from error
        except Exception as error:
            # Whatever somebody's template raises is its own fault and ends here.
            reason = str(error) or type(error).__name__
            raise TemplateFault(reason, self._line(error.__traceback__)) from error

    def _run(self, values: Mapping[str, Any]) -> str:
        context = self._compiled.new_context(dict(values))
        pieces, size_bytes = list[str](), 0
        for piece in self._compiled.root_render_func(context):
            size_bytes += len(piece.encode("utf-8", "surrogatepass"))
            if size_bytes > MOST_OUTPUT_BYTES:
                raise OverBudget(f"the text is longer than {MOST_OUTPUT_BYTES // 1024} KB")
            pieces.append(piece)
        return "".join(pieces)

    def _line(self, traceback: TracebackType | None) -> int | None:
        line = None
        while traceback is not None:
            if traceback.tb_frame.f_globals.get("__jinja_template__") is self._compiled:
                line = self._compiled.get_corresponding_lineno(traceback.tb_lineno)
            traceback = traceback.tb_next
        return line


@lru_cache(maxsize=512)
def compile_template(source: str) -> Template:
    """Return the template ready to render; raises TemplateFault with line and reason."""
    if len(source.encode("utf-8", "surrogatepass")) > MOST_SOURCE_BYTES:
        raise TemplateFault(f"a template has at most {MOST_SOURCE_BYTES // 1024} KB")
    try:
        return Template(source, _sandbox().from_string(source))
    except TemplateSyntaxError as error:
        raise TemplateFault(error.message or "it cannot be read", error.lineno) from error
    except (SyntaxError, RecursionError, MemoryError, OverflowError) as error:
        raise TemplateFault("it is nested too deeply") from error


def unknown_name(source: str, known: Collection[str]) -> TemplateFault | None:
    """Return the fault of the first variable that nothing will ever fill, None when there is none."""
    tree = _sandbox().parse(source)
    unknown = meta.find_undeclared_variables(tree) - set(known) - {"range"}
    for name in tree.find_all(nodes.Name):
        if name.name in unknown:
            return TemplateFault(f"{name.name!r} is undefined", name.lineno)
    return None


def _is_sane(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= _LARGEST_NUMBER


@lru_cache(maxsize=1)
def _sandbox() -> _Sandbox:
    return _Sandbox()

"""Which parts of Jinja a template may use; puts a meter on what can cost without bound."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.visitor import NodeTransformer

MOST_SOURCE_BYTES = 16_384
# Filters of ours that the metered tree calls. A name in a template cannot begin with an underscore.
EACH, CONCAT = "_each", "_concat"
METHODS = frozenset(
    [
        "get",
        "items",
        "keys",
        "values",
        "upper",
        "lower",
        "strip",
        "lstrip",
        "rstrip",
        "startswith",
        "endswith",
        "split",
        "splitlines",
        "title",
        "capitalize",
        "count",
        "find",
        "cycle",
        "changed",
    ]
)
# What writes into a buffer of its own, calls itself, or reads other files.
_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter … endfilter",
    nodes.AssignBlock: "set … endset",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from … import",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.NSRef: "namespace",
    nodes.Pow: "**",
}


def checked(tree: nodes.Template) -> nodes.Template:
    """Return the tree with its meters; raises TemplateSyntaxError for what is not available here."""
    for node in tree.find_all(nodes.Node):
        _check(node)
    metered = _Meter().visit(tree)
    assert isinstance(metered, nodes.Template)
    return metered


class _Meter(NodeTransformer):
    def visit_For(self, node: nodes.For, *args: Any, **kwargs: Any) -> nodes.Node:  # noqa: N802
        """Count the turns of a loop."""
        self.generic_visit(node, *args, **kwargs)
        node.iter = _filter(node.iter, EACH)
        return node

    def visit_Concat(  # noqa: N802
        self, node: nodes.Concat, *args: Any, **kwargs: Any
    ) -> nodes.Node:
        """Count the characters that `~` makes: doubling a text thirty times is a gigabyte."""
        self.generic_visit(node, *args, **kwargs)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), CONCAT)


def _filter(node: nodes.Node, name: str) -> nodes.Filter:
    assert isinstance(node, nodes.Expr)
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _check(node: nodes.Node) -> None:
    if (name := _REFUSED.get(type(node))) is not None:
        _refuse(node, f"{name} is not available here")
    match node:
        case nodes.For() if node.recursive:
            _refuse(node, "a recursive loop is not available here")
        case nodes.Filter() | nodes.Test() if node.name.startswith("_"):
            _refuse(node, f"No filter named {node.name!r}.")
        case nodes.Call():
            _check_call(node)
        case nodes.List() | nodes.Dict():
            _check_constant(node)
        case nodes.Tuple() if node.ctx == "load":
            _check_constant(node)


def _check_call(node: nodes.Call) -> None:
    called = node.node
    known = (isinstance(called, nodes.Name) and called.name == "range") or (
        isinstance(called, nodes.Getattr) and called.attr in METHODS
    )
    if not known or node.dyn_args is not None or node.dyn_kwargs is not None:
        _refuse(node, "this call is not available here")


def _check_constant(node: nodes.Node) -> None:
    # A list that holds a variable twice doubles with every line that repeats it.
    if any(not isinstance(inner, _CONSTANT) for inner in node.find_all(nodes.Expr)):
        _refuse(node, "a list or a dict may hold only texts and numbers here")


_CONSTANT = (nodes.Const, nodes.List, nodes.Tuple, nodes.Dict)


def _refuse(node: nodes.Node, reason: str) -> None:
    raise TemplateSyntaxError(reason, node.lineno)

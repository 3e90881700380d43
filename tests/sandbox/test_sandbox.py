"""What a template may do, and that none can take more than its share."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime
from typing import Any

import pytest

from vabhub.sandbox import TemplateFault, compile_template, unknown_name
from vabhub.sandbox.budget import MOST_OUTPUT_BYTES

VALUES: dict[str, Any] = {
    "title": "Dune",
    "message": "m" * 60_000,
    "created_at": datetime(2026, 11, 24, 18, 5, tzinfo=UTC),
    "data": {"n": 1, "list": [1, 2, 3], "name": "Dune", "items": "a key called items"},
}

GOOD = [
    ("{{ title|upper }}: {{ data.n + 2 * 3 }}", "DUNE: 7"),
    ("{% for x in data.list %}{{ loop.index }}{{ ',' if not loop.last }}{% endfor %}", "1,2,3"),
    ("{% for x in data.list if x > 1 %}{{ x }}{% else %}none{% endfor %}", "23"),
    ("{% if 'movie' in ['movie', 'tv'] %}yes{% endif %}", "yes"),
    ("{{ title ~ '-' ~ data.n }}", "Dune-1"),
    ("{{ data.missing|default('none') }}", "none"),
    ("{{ data.list|join(', ') }} {{ data.list|map('string')|join }} {{ data.list|sum }}", "1, 2, 3 123 6"),
    (
        "{{ 1536|size }} {{ 3723|duration }} {{ '2026-11-24T18:05:00Z'|time == created_at|time }}",
        "1.5 KiB 1:02:03 True",
    ),
    ("{% for key, value in data.items() if key == 'n' %}{{ key }}={{ value|tojson }}{% endfor %}", "n=1"),
    ("{{ data['items'] }}", "a key called items"),
    ("{{ title.split('u')[0] }}{{ none }}", "D"),
    ("{% set x = title|replace('u', 'oo') %}{{ x }}", "Doone"),
    ("{% for i in range(3) %}{{ loop.cycle('a', 'b') }}{% endfor %}", "aba"),
]

# What costs without bound, reaches out of the sandbox, or does not exist: each with a word of its reason.
BAD = [
    ("{% for i in range(10**9) %}x{% endfor %}", "** is not available"),
    ("{% for i in range(1000000000) %}x{% endfor %}", "at most 1,000 numbers"),
    (
        "{% for i in range(1000) %}{% for j in range(1000) %}{% set x = i %}{% endfor %}{% endfor %}",
        "10,000 steps",
    ),
    ("{{ range(1000)" + "|select('odd')" * 30 + "|list|length }}", "10,000 steps"),
    ("{{ 'x' * 1000000000 }}", "two numbers"),
    ("{{ [1] * 1000000000 }}", "two numbers"),
    ("{{ 99999**99999 }}", "** is not available"),
    ("{{ 999999999999999 * 99999 * 99999 * 99999 }}", "two numbers"),
    ("{{ '9'|int * ('9' ~ message)|length|string|int * 10 ** 9 }}", "** is not available"),
    ("{{ '%1000000000d' % 1 }}", "two numbers"),
    ("{{ '%1000000000d'|format(1) }}", "No filter named 'format'"),
    ("{{ '{:>1000000000}'.format(1) }}", "this call is not available"),
    ("{{ 'x'|center(1000000000) }}", "No filter named 'center'"),
    ("{{ 'x'.ljust(1000000000) }}", "this call is not available"),
    ("{{ 'x'|truncate(1000000000) }}", "numbers up to 10,000"),
    ("{% set x = 'ab' %}" + "{% set x = x ~ x %}" * 40 + "{{ x }}", "longer than 65,536"),
    ("{% set x = 'ab' %}" + "{% set x = x + x %}" * 40 + "{{ x }}", "longer than 65,536"),
    ("{% set x = ['a'] %}" + "{% set x = x + x %}" * 40 + "{{ x|join }}", "longer than 65,536"),
    ("{% set x = ['a'] %}" + "{% set x = [x, x] %}" * 40 + "{{ x|length }}", "only texts and numbers"),
    ("{% set x = ('a', 'b') %}" + "{% set x = (x, x) %}" * 40 + "{{ x == x }}", "only texts and numbers"),
    ("{% set x = {'a': title} %}", "only texts and numbers"),
    ("{{ message|replace('', message) }}", "longer than 65,536"),
    ("{{ range(1000)|join(message) }}", "longer than 65,536"),
    ("{% for c in message %}{% set x = message|upper %}{% endfor %}", "too many long texts"),
    (
        "{% for i in range(1000) %}{% for j in range(9) %}{% set x = message|sort %}{% endfor %}{% endfor %}",
        "computes for longer",
    ),
    ("{% for i in range(1000) %}{{ message }}{% endfor %}", "longer than 64 KB"),
    ("{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}", "macro is not available"),
    ("{% for x in data.list recursive %}{{ loop(data.list) }}{% endfor %}", "recursive loop"),
    ("{% set x %}{{ message }}{% endset %}", "set … endset"),
    ("{% filter upper %}x{% endfilter %}", "filter … endfilter"),
    ("{% include '/etc/passwd' %}", "include is not available"),
    ("{% extends 'base.html' %}", "extends is not available"),
    ("{% import 'x' as y %}", "import is not available"),
    ("{% block a %}{% endblock %}", "block is not available"),
    ("{{ namespace(a=1) }}{{ lipsum(1000) }}", "this call is not available"),
    ("{{ ''.__class__.__mro__ }}", "is unsafe"),
    ("{{ ''['__class__'] }}", "is unsafe"),
    ("{{ data|attr('__class__') }}", "No filter named 'attr'"),
    ("{{ [title]|map(attribute='__class__')|list }}", "only texts and numbers"),
    ("{{ data.list|map(attribute='__class__')|join }}", "is unsafe"),
    ("{{ data.update({'a': 1}) }}", "this call is not available"),
    ("{{ title.upper(*data.list) }}", "this call is not available"),
    ("{{ title|_concat }}", "No filter named '_concat'"),
    ("{{ self }}{{ loop }}", "cannot be written as it is"),
    ("{{ data }}", "use join or tojson"),
    ("{{ data.items }}", "cannot be written as it is"),
    ("{{ titel }}", "'titel' is undefined"),
    ("{{ titel + 1 }}", "'titel' is undefined"),
    ("{{ data.nope }}", "has no attribute 'nope'"),
    ("{% if %}", "Expected an expression"),
    ("{{ 1 / 0 }}", "division by zero"),
    ("{{" + "(" * 3000 + "1" + ")" * 3000 + "}}", "nested too deeply"),
    ("{{ 1" + "+1" * 3000 + " }}", "nested too deeply"),
    ("{{ " + "not " * 3000 + "1 }}", "nested too deeply"),
    ("{% for a in 'a' %}" * 30 + "{% endfor %}" * 30, "nested too deeply"),
    ("x" * 20_000, "at most 16 KB"),
]


@pytest.mark.parametrize(("source", "text"), GOOD)
def test_what_a_template_needs_is_there(source: str, text: str) -> None:
    assert compile_template(source).render(VALUES) == text


@pytest.mark.parametrize(("source", "reason"), BAD, ids=lambda part: part[:40])
def test_what_could_do_harm_ends_with_its_reason(source: str, reason: str) -> None:
    with pytest.raises(TemplateFault) as caught:
        compile_template(source).render(VALUES)
    assert reason in caught.value.message


def test_none_of_it_takes_much_memory() -> None:
    tracemalloc.start()
    try:
        for source, _ in BAD:
            with pytest.raises(TemplateFault):
                compile_template(source).render(VALUES)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 64 * 2**20


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("a\nb\n{{ nope }}", 3),
        ("a\n{% if %}", 2),
        ("\n\n\n{{ 1 / 0 }}", 4),
        ("{{ title }}\n{{ x.y() ** 2 }}", 2),
    ],
)
def test_a_fault_names_its_line(source: str, line: int) -> None:
    with pytest.raises(TemplateFault) as caught:
        compile_template(source).render(VALUES)
    assert caught.value.line == line
    assert caught.value.message.startswith(f"line {line}: ")


def test_an_output_is_bounded_in_bytes_not_characters() -> None:
    assert len(compile_template("{{ message }}").render(VALUES)) == 60_000
    with pytest.raises(TemplateFault, match="64 KB"):
        compile_template("{{ message }}").render({"message": "影" * (MOST_OUTPUT_BYTES // 3 + 1)})


def test_what_is_rendered_is_not_changed_by_it() -> None:
    data = {"list": [1]}
    compile_template("{% set x = data.list + [2] %}{{ x|length }}").render({"data": data})
    assert data == {"list": [1]}


def test_a_name_that_nothing_fills_is_found_also_where_it_is_not_reached() -> None:
    fault = unknown_name("{% if data.x %}\n{{ titel }}{% endif %}", ("title", "data"))
    assert fault is not None
    assert fault.message == "line 2: 'titel' is undefined"
    assert (
        unknown_name("{% set x = 1 %}{{ x }}{% for y in range(2) %}{{ loop.index }}{{ y }}{% endfor %}", ())
        is None
    )

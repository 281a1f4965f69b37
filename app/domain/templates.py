"""Messages with variables: check them, render them, and find what is missing.

Rendering is one pass: braces in a contact's values are plain text. Values are texts, never objects, and an empty value
counts as missing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final

from jinja2 import Template, Undefined, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from app.domain.phone import NumberRejected, local_format, normalize
from app.domain.template_syntax import FILTER_ARGUMENTS, SOURCE_LIMIT, TemplateInvalid, names_in, parse
from app.domain.template_variables import build_variables, deciding, variable_name, variable_names
from app.domain.text import is_blank

__all__ = [
    "BUILT_IN_FALLBACKS",
    "FILTER_ARGUMENTS",
    "SMS_LIMIT",
    "SOURCE_LIMIT",
    "SPOKEN_LIMIT",
    "SYSTEM_VARIABLES",
    "MessageBlank",
    "Missing",
    "MissingVariable",
    "TemplateInvalid",
    "Untellable",
    "build_variables",
    "check",
    "compared",
    "deciding",
    "render",
    "says_nothing",
    "unresolved",
    "variable_name",
    "variable_names",
    "variables_in",
]

SMS_LIMIT: Final = 1_600
"""The longest rendered message that a carrier accepts, in characters (else Twilio error 21617)."""
SPOKEN_LIMIT: Final = 4_096
"""Longest text of one spoken part, in characters (Twilio's <Say>)."""

BUILT_IN_FALLBACKS: Final[Mapping[str, str]] = {
    "name": "there",
    "contact_name": "there",
    "first_name": "there",
}
"""The text for a missing variable in mode `fallback`, if the campaign has no fallback for it."""

_PRESENCE_TESTS: Final = frozenset({"defined", "undefined", "none"})
"""Tests of whether a variable has a value, not of the value itself."""

SYSTEM_VARIABLES: Final = (
    "name",
    "first_name",
    "last_name",
    "email",
    "phone_number",
    "company",
    "assistant_name",
)
"""Variables that the editor always offers, beside the columns of the import."""


class Missing(StrEnum):
    """What a variable without a value becomes."""

    FALLBACK = "fallback"
    """The campaign's fallback, else the built-in one. The campaign cannot start if there is neither."""
    KEEP = "keep"
    """The placeholder is left exactly as written."""
    BLANK = "blank"
    SKIP = "skip"
    """The contact is skipped."""


class Untellable(LookupError):
    """The message cannot be rendered for this contact. The text of the error says why."""


class MissingVariable(Untellable):
    """In mode `skip`: this contact has no value for a variable that the message prints."""

    def __init__(self, name: str) -> None:
        super().__init__(f"This contact has no value for {{{{{name}}}}}.")
        self.name = name


class MessageBlank(Untellable):
    """With this contact's values the message is empty."""

    def __init__(self) -> None:
        super().__init__("The message is empty for this contact: they have no value for what it says.")


def check(source: str) -> tuple[str, ...]:
    """Return the variables the template uses, in order of first use. Raises `TemplateInvalid`."""
    names = _compiled(source, Missing.FALLBACK).names
    render(source, variables=dict.fromkeys(names, "x"), fallbacks={}, missing=Missing.FALLBACK)
    return names


@lru_cache(maxsize=4_096)
def says_nothing(source: str) -> bool:
    """Tell whether the template is blank for every contact: it has neither text nor a variable.

    False for a template with a syntax error: `check` reports those.
    """
    try:
        return not check(source) and is_blank(_compiled(source, Missing.FALLBACK).template.render())
    except TemplateInvalid:
        return False


def variables_in(source: str) -> tuple[str, ...]:
    """Return all variable names of the template, in order of first use. Raises `TemplateInvalid`."""
    return tuple(dict.fromkeys(names_in(parse(_ENVIRONMENT, source))))


def render(
    source: str, *, variables: Mapping[str, str | None], fallbacks: Mapping[str, str], missing: Missing
) -> str:
    """Return the text for one contact.

    `{{First_Name}}` finds `first_name`. A `default(…)` in the text wins over `fallbacks`. Blank values, fallbacks and
    defaults count as missing.
    Raises `TemplateInvalid`, and in mode `skip` `MissingVariable`.
    """
    compiled = _compiled(source, missing)
    if compiled.constant is not None:
        return compiled.constant
    context: dict[str, str] = {}
    for name, plain in compiled.lookups:
        value = _value(variables, name, plain)
        if value:
            context[name] = value
        elif fallback := _fallback(fallbacks, name, plain, missing):
            context[name] = _Fallback(fallback)
    try:
        return compiled.template.render(context)
    except MissingVariable:
        raise
    except Exception as error:
        # A template that parses may still fail to render, as a test with too few arguments: the template is wrong.
        raise TemplateInvalid(f"The template cannot be rendered: {error}.") from error


def unresolved(
    source: str, *, variables: Iterable[str], fallbacks: Mapping[str, str], missing: Missing
) -> tuple[str, ...]:
    """Return the names that are printed without a value: they have no variable, fallback or `default`.

    `variables`: the names that have a value. Built-in fallbacks count only in mode `fallback`. A name that a
    surrounding `{% if %}` tests is not returned. In mode `fallback` a campaign cannot start while there are any; in
    other modes they deserve a warning.
    """
    built_in = BUILT_IN_FALLBACKS if missing is Missing.FALLBACK else ()
    given = (name for name, text in fallbacks.items() if not is_blank(text))
    known = {*variables, *given, *built_in}
    return tuple(name for name in _needed(source) if known.isdisjoint({name, variable_name(name)}))


def compared(source: str) -> frozenset[str]:
    """Return the variables whose value decides what the message says, as in `{% if plan == 'gold' %}`.

    For all others it matters only whether they have a value. Raises `TemplateInvalid`.
    """
    tree = parse(_ENVIRONMENT, source)
    tests = [test for test in tree.find_all(nodes.Test) if test.name not in _PRESENCE_TESTS]
    comparisons = [*tree.find_all(nodes.Compare), *tests]
    return frozenset(variable_name(name) for node in comparisons for name in names_in(node))


@lru_cache(maxsize=4_096)
def _needed(source: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_unguarded(parse(_ENVIRONMENT, source), frozenset())))


class _Fallback(str):
    """A value used in place of a missing one. `default(…)` recognizes it and replaces it."""

    __slots__ = ()


class _Required(Undefined):
    """A missing variable: it can be tested, but printing it raises `MissingVariable`."""

    __slots__ = ()

    def __str__(self) -> str:
        raise MissingVariable(self._undefined_name or "?")


def _keeping_fallback(change: Callable[[str], str]) -> Callable[[object], str]:
    def apply(value: object) -> str:
        text = change(str(value))
        return _Fallback(text) if isinstance(value, _Fallback) else text

    return apply


def _default(value: object, instead: object, _flag: object = None) -> object:
    """Replace a missing or empty value, with or without Jinja's flag. A blank default counts as none."""
    lacks = isinstance(value, Undefined | _Fallback) or value == ""
    return str(instead) if lacks and not is_blank(str(instead)) else value


def _title_case(text: str) -> str:
    """Capitalize words. Text of mixed case keeps its capitals, as in `O'Neill's` and `McDonald`."""
    settled = text.lower() if text.isupper() else text
    return re.sub(r"(?<![\w'\u2019])[^\W\d_]", lambda letter: letter[0].upper(), settled)


def _phone_format(text: str) -> str:
    try:
        return local_format(normalize(text, region="").e164)
    except NumberRejected:
        return text


def _truncate(value: object, length: int) -> str:
    text = str(value)
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _environment(undefined: type[Undefined]) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        autoescape=False, keep_trailing_newline=True, undefined=undefined
    )
    environment.globals.clear()
    environment.filters = {
        "phone_format": _keeping_fallback(_phone_format),
        "title_case": _keeping_fallback(_title_case),
        "title": _keeping_fallback(_title_case),
        "upper": _keeping_fallback(str.upper),
        "lower": _keeping_fallback(str.lower),
        "capitalize": _keeping_fallback(str.capitalize),
        "trim": _keeping_fallback(str.strip),
        "default": _default,
        "d": _default,
        "truncate": _truncate,
    }
    return environment


_ENVIRONMENT: Final = _environment(Undefined)
_STRICT_ENVIRONMENT: Final = _environment(_Required)


class _Compiled:
    """A compiled template for one mode, and the variable names it uses."""

    __slots__ = ("constant", "lookups", "names", "template")

    def __init__(self, template: Template, names: tuple[str, ...], *, constant: str | None) -> None:
        """`constant`: the text for every contact, if the template has no tags."""
        self.template, self.names, self.constant = template, names, constant
        self.lookups = tuple((name, variable_name(name)) for name in names)


@lru_cache(maxsize=4_096)
def _compiled(source: str, missing: Missing) -> _Compiled:
    environment = _STRICT_ENVIRONMENT if missing is Missing.SKIP else _ENVIRONMENT
    tree = parse(environment, source)
    names = tuple(dict.fromkeys(names_in(tree)))
    if missing is Missing.KEEP:
        _keep_placeholders(tree, _placeholders(source))
    template = environment.from_string(tree)
    return _Compiled(template, names, constant=None if "{" in source else template.render())


def _placeholders(source: str) -> Iterator[str]:
    """Yield every `{{…}}` exactly as written, in order."""
    written = ""
    for _, kind, value in _ENVIRONMENT.lex(source):
        written = value if kind == "variable_begin" else written + value
        if kind == "variable_end":
            yield written.strip()


def _keep_placeholders(node: nodes.Node, placeholders: Iterator[str]) -> None:
    """Make every printed expression print its own source when a name it needs is missing."""
    if isinstance(node, nodes.Output):
        node.nodes = [
            part if isinstance(part, nodes.TemplateData) else _or_as_written(part, next(placeholders))
            for part in node.nodes
        ]
        return
    for child in node.iter_child_nodes():
        _keep_placeholders(child, placeholders)


def _or_as_written(expression: nodes.Expr, written: str) -> nodes.Expr:
    line = expression.lineno
    kept: nodes.Expr = expression
    for name in dict.fromkeys(_unguarded(expression, frozenset())):
        is_there = nodes.Test(nodes.Name(name, "load"), "defined", [], [], None, None, lineno=line)
        kept = nodes.CondExpr(is_there, kept, nodes.Const(written, lineno=line), lineno=line)
    kept.set_environment(_ENVIRONMENT)
    return kept


def _unguarded(node: nodes.Node, guarded: frozenset[str]) -> Iterator[str]:
    """Yield names that are printed without a `default` and without a condition that tests them."""
    match node:
        case nodes.Name():
            if node.name not in guarded:
                yield node.name
        case nodes.Filter(name="default" | "d"):
            default = node.args[0]
            is_none = isinstance(default, nodes.Const) and is_blank(str(default.value))
            for child in node.iter_child_nodes() if is_none else node.args:
                yield from _unguarded(child, guarded)
        case nodes.Or():
            yield from _unguarded(node.right, guarded)
        case nodes.If() | nodes.CondExpr():
            asked = guarded | frozenset(names_in(node.test))
            for child in node.iter_child_nodes(exclude=("test",)):
                yield from _unguarded(child, asked)
        case _:
            for child in node.iter_child_nodes():
                yield from _unguarded(child, guarded)


def _value(variables: Mapping[str, str | None], name: str, plain: str) -> str | None:
    given = (variables.get(key) or "" for key in (name, plain))
    return next((value for value in given if not is_blank(value)), None)


def _fallback(fallbacks: Mapping[str, str], name: str, plain: str, missing: Missing) -> str | None:
    given = _value(fallbacks, name, plain)
    return given or (BUILT_IN_FALLBACKS.get(plain) if missing is Missing.FALLBACK else None)

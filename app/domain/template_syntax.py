"""Which template syntax a message may use, and errors in plain words.

Jinja2 parses the template; then every node is checked against an allow-list: variables, a few filters, `{% if %}`.
Loops, calls, attributes and arithmetic are refused. So a template cannot run long, and prints only its text and
values.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Final

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

SOURCE_LIMIT: Final = 10_000
"""Longest template source, in characters."""

_DEPTH_LIMIT: Final = 25
_TEXT_LIMIT: Final = 4_096

FILTER_ARGUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "phone_format": (),
    "title_case": (),
    "upper": (),
    "lower": (),
    "default": ("text", "flag"),
    "d": ("text", "flag"),
    "capitalize": (),
    "title": (),
    "trim": (),
    "truncate": ("length",),
}
"""Every filter a template may use, and its arguments."""

_TESTS: Final = frozenset({"defined", "undefined", "none", "eq", "equalto", "ne"})
_COMPARISONS: Final = frozenset({"eq", "ne", "in", "notin"})
_RESERVED: Final = frozenset({"self", "super", "loop", "caller", "varargs", "kwargs"})

_ALLOWED: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Filter,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.Not,
    nodes.And,
    nodes.Or,
    nodes.Test,
)

_REFUSALS: Final[tuple[tuple[tuple[type[nodes.Node], ...], str], ...]] = (
    ((nodes.For,), "Loops cannot be used in a message: write each variable once."),
    (
        (nodes.Call, nodes.CallBlock, nodes.Macro),
        "Functions cannot be called in a message: use a variable or a filter.",
    ),
    ((nodes.Getattr, nodes.Getitem), "A variable has no parts: write its name alone, such as {{name}}."),
    (
        (nodes.BinExpr, nodes.UnaryExpr, nodes.Concat),
        "A message cannot calculate: put the result in a column instead.",
    ),
    ((nodes.Expr,), "Only variables and filters can be used here, such as {{name|title_case}}."),
    ((nodes.Node,), "Only {% if %} … {% else %} … {% endif %} can be used in a message."),
)

_TAG: Final = re.compile(r"\{\{.{0,300}?\}\}|\{%.{0,300}?%\}", re.DOTALL)
_NOT_READ: Final = re.compile(r"\{#.*?#\}|\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}", re.DOTALL)
_ALMOST_A_NAME: Final = re.compile(r"\{\{[-+]?\s*(\w[\w\s.\-]*?)\s*(?:\|[^{}]*)?[-+]?\}\}")


class TemplateInvalid(ValueError):
    """The template cannot be used. The message says what to change; `line` and `column` count from 1."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


def parse(environment: ImmutableSandboxedEnvironment, source: str) -> nodes.Template:
    """Return the syntax tree of a template. Raises `TemplateInvalid` if it uses other than the allowed syntax."""
    if len(source) > SOURCE_LIMIT:
        raise TemplateInvalid(f"The text is too long: at most {SOURCE_LIMIT:,} characters.")
    if "\x00" in source:
        raise TemplateInvalid(
            "The text holds a NUL character. Remove it.", line=source[: source.index("\x00")].count("\n") + 1
        )
    try:
        tree = environment.parse(source)
    except TemplateSyntaxError as error:
        raise _syntax_error(environment, source, error) from None
    except (RecursionError, ValueError, OverflowError):
        raise TemplateInvalid("The text is too complicated: use fewer brackets or shorter numbers.") from None
    _check_node(environment, source, tree, 0)
    return tree


def names_in(node: nodes.Node) -> Iterator[str]:
    """Yield every variable name below the node, in document order, with repetitions."""
    if isinstance(node, nodes.Name):
        yield node.name
    for child in node.iter_child_nodes():
        yield from names_in(child)


def _check_node(
    environment: ImmutableSandboxedEnvironment, source: str, node: nodes.Node, depth: int
) -> None:
    problem = "The text is too complicated: nest less." if depth > _DEPTH_LIMIT else _problem(node)
    if problem is not None:
        line, column, written = _place(environment, source, node.lineno)
        raise TemplateInvalid(_name_advice(written) or problem, line=line, column=column)
    for child in _printed_children(node):
        _check_node(environment, source, child, depth + 1)


def _printed_children(node: nodes.Node) -> Iterator[nodes.Node]:
    """Yield the child nodes, without the flag in `default('there', true)`: the filter's check covers it."""
    return (
        child for child in node.iter_child_nodes() if not (isinstance(node, nodes.Filter) and _is_flag(child))
    )


def _problem(node: nodes.Node) -> str | None:
    """Return what is wrong with this node itself."""
    if not isinstance(node, _ALLOWED):
        return next(message for kinds, message in _REFUSALS if isinstance(node, kinds))
    match node:
        case nodes.Filter():
            return _filter_problem(node)
        case nodes.Compare():
            return _comparison_problem(node)
        case _:
            return _word_problem(node)


def _word_problem(node: nodes.Node) -> str | None:
    match node:
        case nodes.Test() if node.name not in _TESTS:
            return f"“is {node.name}” cannot be used: use “is defined” or compare with == and a text."
        case nodes.Name() if node.name in _RESERVED:
            return f"“{node.name}” is a reserved word: give the variable another name."
        case nodes.Const() if isinstance(node.value, bool) or node.value is None:
            return (
                f"“{str(node.value).lower()}” is not a variable: write a variable's name or a text in quotes."
            )
        case _:
            return None


def _comparison_problem(node: nodes.Compare) -> str | None:
    sides = [node.expr, *(operand.expr for operand in node.ops)]
    if any(operand.op not in _COMPARISONS for operand in node.ops):
        return "Values are text: compare them with == or != only."
    if any(isinstance(side, nodes.Const) and not isinstance(side.value, str) for side in sides):
        return "Values are text: compare with a text in quotes, such as == '5'."
    contains = any(operand.op in {"in", "notin"} for operand in node.ops)
    if contains and (len(node.ops) > 1 or not isinstance(node.expr, nodes.Const)):
        return "Before “in” there must be a text in quotes, such as 'VIP' in notes."
    return None


def _filter_problem(node: nodes.Filter) -> str | None:
    if node.name not in FILTER_ARGUMENTS:
        close = difflib.get_close_matches(node.name, FILTER_ARGUMENTS, n=1)
        advice = f"Did you mean “{close[0]}”?" if close else f"Filters are: {', '.join(FILTER_ARGUMENTS)}."
        return f"There is no filter “{node.name}”. {advice}"
    allowed = FILTER_ARGUMENTS[node.name]
    if node.node is None or node.kwargs or node.dyn_args or node.dyn_kwargs or len(node.args) > len(allowed):
        return f"The filter “{node.name}” was given too much: {_filter_example(node.name)}"
    for kind, argument in zip(allowed, node.args, strict=False):
        if not _is_argument(kind, argument):
            return f"The filter “{node.name}” was given the wrong thing: {_filter_example(node.name)}"
    if allowed and not node.args:
        return f"The filter “{node.name}” needs something in brackets: {_filter_example(node.name)}"
    return None


def _is_flag(argument: nodes.Node) -> bool:
    return isinstance(argument, nodes.Const) and isinstance(argument.value, bool)


def _is_argument(kind: str, argument: nodes.Expr) -> bool:
    match kind:
        case "flag":
            return _is_flag(argument)
        case "length":
            value = argument.value if isinstance(argument, nodes.Const) else None
            return type(value) is int and 1 <= value <= _TEXT_LIMIT
        case _:
            return not _is_flag(argument)


def _filter_example(name: str) -> str:
    examples = {"text": "('there')", "length": "(40)"}
    arguments = FILTER_ARGUMENTS[name]
    return f"write {{{{name|{name}{examples[arguments[0]] if arguments else ''}}}}}."


def _syntax_error(
    environment: ImmutableSandboxedEnvironment, source: str, error: TemplateSyntaxError
) -> TemplateInvalid:
    line, column, written = _place(environment, source, error.lineno)
    return TemplateInvalid(_name_advice(written) or _explained(written, error), line=line, column=column)


def _explained(written: str, error: TemplateSyntaxError) -> str:
    said = error.message or "It cannot be read."
    if re.fullmatch(r"\{\{[-+]?\s*[-+]?\}\}", written):
        return "{{ }} is empty: write a variable's name in it, such as {{name}}."
    if "unknown tag" in said:
        return "Only {% if %} … {% else %} … {% endif %} can be used in a message."
    if "innermost block" in said or "Jinja was looking for" in said:
        return "An {% if %} is not closed: add {% endif %} after it."
    if "comment" in said:
        return "“{#” begins a comment that is never closed: add #} or remove it."
    if not _TAG.fullmatch(written):
        return f"“{written[:2]}” is not closed: write both brackets, such as {{{{name}}}}."
    return f"{written} cannot be read: {said.rstrip('.')}."


def _name_advice(written: str) -> str | None:
    """Return what to write instead of `{{first name}}`, `{{appointment-date}}` or `{{contact.name}}`."""
    almost = _ALMOST_A_NAME.fullmatch(written)
    if almost is None or almost[1].isidentifier():
        return None
    proposed = re.sub(r"\W+", "_", almost[1]).strip("_").lower()
    proposed = f"n{proposed}" if proposed[:1].isdigit() else proposed
    advice = f"a variable is one word of letters, digits and _. Write {{{{{proposed}}}}}."
    return f"{written} cannot be read: {advice}"


def _place(environment: ImmutableSandboxedEnvironment, source: str, lineno: int) -> tuple[int, int, str]:
    """Return line, column and text of the wrong tag: the first that fails alone, else the first of the line."""
    # Comments and raw blocks become spaces, so that all positions stay the same.
    read = _NOT_READ.sub(lambda match: " " * len(match[0]), source)
    tags = [(match.start(), match[0]) for match in _TAG.finditer(read)]
    failing = next(
        ((at, tag) for at, tag in tags if tag.startswith("{{") and _fails_alone(environment, tag)), None
    )
    on_line = next(
        ((at, tag) for at, tag in tags if source.count("\n", 0, at + len(tag)) + 1 >= lineno), None
    )
    unclosed = _unclosed(read)
    at, written = unclosed or failing or on_line or (0, source[:20])
    return source.count("\n", 0, at) + 1, at - source.rfind("\n", 0, at), written


def _unclosed(source: str) -> tuple[int, str] | None:
    """Return the first `{{` or `{%` without its closing before the end or before another opening."""
    for opening in re.finditer(r"\{\{|\{%", source):
        closing = "}}" if opening[0] == "{{" else "%}"
        rest = source[opening.end() :]
        end = rest.find(closing)
        if end < 0 or any(0 <= rest.find(other) < end for other in ("{{", "{%")):
            return opening.start(), source[opening.start() : opening.start() + 20]
    return None


def _fails_alone(environment: ImmutableSandboxedEnvironment, tag: str) -> bool:
    try:
        tree = environment.parse(tag)
    except (TemplateSyntaxError, RecursionError, ValueError, OverflowError):
        return True
    return any(_problem(node) is not None for node in _all_nodes(tree))


def _all_nodes(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in _printed_children(node):
        yield from _all_nodes(child)

"""The product's own source text, for tests that hold a rule over all of it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
HOLE: Final = "{}"
"""Stands where an f-string puts something in."""


def all_modules() -> list[Path]:
    """Return every module of the product and of the simulator."""
    return sorted([*(ROOT / "app").rglob("*.py"), *(ROOT / "worker").rglob("*.py")])


def product_modules() -> list[Path]:
    """Return every module of the product, not of the simulator, which is the world outside."""
    return [path for path in all_modules() if ROOT / "app" / "simulator" not in path.parents]


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """Return the line and the text of every string of a module, docstrings left out, f-strings with holes."""
    tree = ast.parse(path.read_text())
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
    } - {id(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)}
    for node in ast.walk(tree):
        if id(node) in docs | parts:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(map(_part, node.values))


def _part(value: ast.expr) -> str:
    return str(value.value) if isinstance(value, ast.Constant) else HOLE

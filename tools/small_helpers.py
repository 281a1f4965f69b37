"""How the code is cut: the length of functions, and those of few lines that are used once.

`uv run python tools/small_helpers.py [--list] [folder …]` prints, for `app` and `worker` or the folders named:

- median, 90th percentile and longest length of functions, in lines without docstrings and decorators;
- how many functions of at most 4 lines are used once. A use is the function's name in the code of the folders, but for
  its definition and imports; functions of the same name share their uses. Methods count too, but for those of the
  language (`__init__`). A decorated function does not count: its decorator uses it.

  Some of them cannot be put in the place of their use: those that are passed as a value, such as the rules of a table,
  and those that tests use too. So the others are counted apart.

`--list` names these others, with the place of each.
"""

import argparse
import ast
import re
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

FEW_LINES: Final = 4
FOLDERS: Final = ("app", "worker")

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Found:
    """A function, where it stands, and how many lines it has."""

    name: str
    path: Path
    line: int
    lines: int
    is_decorated: bool


@cache
def parsed(path: Path) -> ast.Module:
    """Return a file as a tree."""
    return ast.parse(path.read_text())


def functions_of(path: Path) -> Iterator[Found]:
    """Yield the functions and methods of a file, those within others too."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Found(node.name, path, node.lineno, _lines(node), bool(node.decorator_list))


def uses_of(paths: list[Path]) -> Counter[str]:
    """Return how often each name stands in the code, but for the definitions and imports of that name."""
    uses: Counter[str] = Counter()
    for path in paths:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Name):
                uses[node.id] += 1
            elif isinstance(node, ast.Attribute):
                uses[node.attr] += 1
    return uses


def calls_of(paths: list[Path]) -> Counter[str]:
    """Return how often each name is called in the code."""
    calls: Counter[str] = Counter()
    for path in paths:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                calls[node.func.id] += 1
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                calls[node.func.attr] += 1
    return calls


def used_once(paths: list[Path]) -> list[Found]:
    """Return the functions of few lines that are used in one place."""
    uses = uses_of(paths)
    return [
        each
        for path in paths
        for each in functions_of(path)
        if each.lines <= FEW_LINES
        and uses[each.name] == 1
        and not each.is_decorated
        and not re.fullmatch(r"__\w+__", each.name)
    ]


def _lines(node: Function) -> int:
    """Return the lines of a function from its `def` to its end, without its docstring."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def main() -> None:
    """Print the measures of the folders named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="name the functions that could be inlined")
    parser.add_argument("folders", nargs="*", default=FOLDERS)
    given = parser.parse_args()
    paths = sorted(path for folder in given.folders for path in Path(folder).rglob("*.py"))
    lengths = sorted(each.lines for path in paths for each in functions_of(path))
    once = used_once(paths)
    calls, tests = calls_of(paths), uses_of(sorted(Path("tests").rglob("*.py")))
    inlinable = [each for each in once if calls[each.name] == 1 and not tests[each.name]]
    if given.list:
        for each in inlinable:
            print(f"{each.path}:{each.line} {each.name} ({each.lines} lines)")
    ninetieth = lengths[int(len(lengths) * 0.9)]
    print(
        f"{len(lengths)} functions: median {statistics.median(lengths):g}, p90 {ninetieth}, longest {lengths[-1]} lines"
    )
    print(f"{len(once)} functions of at most {FEW_LINES} lines are used once")
    print(f"{len(inlinable)} of these are called there, and no test uses them")


if __name__ == "__main__":
    main()

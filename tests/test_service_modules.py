"""A use case has one module to import it from: the one that has it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sources import ROOT, product_modules


def _passed_on(path: Path) -> Iterator[str]:
    """Return the names that a module imports for others; what it does not name so, mypy lets nobody take from it."""
    tree = ast.parse(path.read_text())
    imported = [alias for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    yield from (alias.name for alias in imported if alias.name in {"*", alias.asname})
    listed = {
        value.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and "__all__" in ast.unparse(node)
        for value in ast.walk(node)
        if isinstance(value, ast.Constant)
    }
    yield from (alias.name for alias in imported if (alias.asname or alias.name) in listed)


def test_no_module_of_the_services_passes_on_what_another_has() -> None:
    services = [path for path in product_modules() if ROOT / "app" / "services" in path.parents]
    assert services
    assert [f"{path.relative_to(ROOT)}: {name}" for path in services for name in _passed_on(path)] == []


@pytest.mark.parametrize(
    "source",
    [
        'from a import b\n\n__all__ = ["b", "c"]',
        'from a import b as c\n\n__all__: list[str] = ["c"]',
        'from a import b\n\n__all__ = []\n__all__ += ["b"]',
        "from a import b as b",
        "from a import *",
    ],
)
def test_what_is_passed_on_is_found_however_it_is_written(source: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(source)
    assert len(list(_passed_on(tmp_path / "module.py"))) == 1


def test_what_a_module_has_itself_it_may_list(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text('from a import b\n\n__all__ = ["c"]\n\nc = b')
    assert list(_passed_on(tmp_path / "module.py")) == []

"""The package: what it pins, what it keeps to itself, and that the schema is the models'."""

import subprocess
import tomllib
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from packaging.requirements import Requirement
from packaging.version import Version
from sqlalchemy import create_engine

from app.installation.process_commands import QUEUES
from app.installation.reachability import _health_key
from app.runtime.jobs import QueueName
from app.runtime.migrations import PROJECT, alembic_config, newest_revision

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())
PINS = {pin.name: pin for pin in map(Requirement, PYPROJECT["tool"]["uv"]["constraint-dependencies"])}
REGISTRY_HOSTS = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "registry.npmjs" + ".org",
    "npmmirror" + ".com",
    "yarnpkg" + ".com",
)


def test_arq_is_new_enough() -> None:
    # Next to Reflex an unpinned arq resolves to 0.25, which lacks its race fixes.
    assert Version(version("arq")) >= Version("0.28")


def test_reflex_is_pinned_exactly() -> None:
    assert "reflex==0.10.1" in PYPROJECT["project"]["dependencies"]


def test_every_pin_is_one_exact_version_without_an_address() -> None:
    for pin in PINS.values():
        assert [clause.operator for clause in pin.specifier] == ["=="], pin
        assert pin.url is None, pin


@pytest.mark.parametrize("group", ["project", "dev"])
def test_every_dependency_is_pinned_at_the_installed_version(group: str) -> None:
    named = (
        PYPROJECT["project"]["dependencies"] if group == "project" else PYPROJECT["dependency-groups"]["dev"]
    )
    for requirement in map(Requirement, named):
        assert PINS[requirement.name].specifier.contains(version(requirement.name)), requirement


def test_no_tracked_file_names_a_package_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    tracked = [PROJECT / name for name in listed.stdout.split("\0") if name]
    assert not [file for file in tracked if file.is_file() and _names_a_registry(file)]


def test_uv_lock_stays_out_of_the_repository() -> None:
    assert "uv.lock" in (PROJECT / ".gitignore").read_text().splitlines()


def test_the_schema_is_the_models(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        command.check(alembic_config(connection))
    engine.dispose()


def test_the_newest_revision_is_alembic_s_own_head(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        head = ScriptDirectory.from_config(alembic_config(connection)).get_current_head()
    engine.dispose()
    assert newest_revision() == head


def test_the_supervisor_knows_the_queues_that_workers_read() -> None:
    assert [_health_key(queue) for queue in QUEUES] == [f"{name.value}:health-check" for name in QueueName]


def _names_a_registry(file: Path) -> bool:
    content = file.read_bytes()
    return any(host.encode() in content for host in REGISTRY_HOSTS)


def test_the_table_of_legal_hours_is_packed_with_the_code_that_reads_it() -> None:
    packages = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    ignored = subprocess.run(
        ["git", "check-ignore", "app/domain/data/legal_hours.toml"],
        cwd=PROJECT,
        capture_output=True,
        check=False,
    )
    assert "app" in packages
    assert not ignored.stdout, "hatch leaves out what git ignores"
    assert files("app.domain").joinpath("data/legal_hours.toml").is_file()

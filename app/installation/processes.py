"""Start child processes that end with their parent, and end those that did not."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def spawn(
    command: Sequence[str | Path],
    *,
    log: IO[bytes],
    user: int | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    on_parent_death: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start `command` in its own process group, with its output in `log`.

    Ctrl-C in a terminal reaches only the parent, which stops its children in order. On Linux the kernel sends
    `on_parent_death` when the *thread* that called this ends; on other systems the next start cleans up.
    `user` is the numeric id to run as (only for root), without additional groups.
    """
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=directory,
        env=environment,
        user=user,
        group=group_of(user),
        extra_groups=None if user is None else [],
        process_group=0,
        # Between fork and exec the child runs one prctl call, and allocates almost nothing.
        preexec_fn=_die_with_parent(on_parent_death),  # noqa: PLW1509
    )


def group_of(user: int | None) -> int | None:
    """Return the primary group of a numeric user id; the id itself if the user has no entry."""
    if user is None:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(user).pw_gid
    return user


def stop(process: subprocess.Popen[bytes], *, polite: signal.Signals, seconds: float) -> None:
    """End a child and its process group: send `polite` first, SIGKILL after `seconds`."""
    if process.poll() is None:
        process.send_signal(polite)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def end_orphan(
    pid: int, *, is_ours: Callable[[psutil.Process], bool], polite: signal.Signals, seconds: float
) -> bool:
    """End a process whose parent is dead, if `pid` is still that process; return whether there was one."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or not is_ours(process):
            return False
        process.send_signal(polite)
        _wait_or_kill(process, seconds)
    except psutil.NoSuchProcess:
        return False
    return True


def wait_until(condition: Callable[[], bool], *, seconds: float, interval: float = 0.01) -> bool:
    """Poll `condition` until it is true; return False if it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True


def _wait_or_kill(process: psutil.Process, seconds: float) -> None:
    try:
        process.wait(timeout=seconds)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(timeout=seconds)


def _die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    if _libc is None:
        return None
    prctl, parent = _libc.prctl, os.getpid()

    def arrange() -> None:
        prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the line above
            os._exit(1)

    return arrange

"""The log files of an installation stay small."""

import signal
import sys
from pathlib import Path

import pytest

from app.installation.log_files import keep_small
from app.installation.processes import spawn, stop
from app.installation.supervisor import StopRequested, Supervisor


def test_full_files_are_put_aside_and_the_newest_kept(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.touch(mode=0o600)
    for round_ in range(1, 7):
        log.write_text(f"{round_}" * 150)
        keep_small(tmp_path, largest=100, kept=3)
        assert log.read_text() == ""
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "web.log",
        "web.log.1",
        "web.log.2",
        "web.log.3",
    ]
    assert [tmp_path.joinpath(f"web.log.{n}").read_text()[0] for n in (1, 2, 3)] == ["6", "5", "4"]
    assert (tmp_path / "web.log.1").stat().st_mode & 0o777 == 0o600


def test_a_small_file_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text("a line\n")
    keep_small(tmp_path, largest=100)
    assert [path.name for path in tmp_path.iterdir()] == ["web.log"]
    assert (tmp_path / "web.log").read_text() == "a line\n"


def test_what_cannot_be_put_aside_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "web.log").write_text("x" * 200)
    (tmp_path / "web.log.2").touch()
    (tmp_path / "web.log.3" / "full").mkdir(parents=True)
    (tmp_path / "dial.log").write_text("x" * 200)
    keep_small(tmp_path, largest=100)
    assert (tmp_path / "dial.log").read_text() == ""
    assert "log_files.kept_large" in caplog.text


def test_a_process_that_fills_its_log_goes_on_in_the_emptied_file(tmp_path: Path) -> None:
    log = tmp_path / "noisy.log"
    script = "import sys\nwhile True: print('x' * 999, flush=True)"
    with log.open("ab") as output:
        process = spawn([sys.executable, "-c", script], log=output)
    try:
        supervisor = Supervisor(lambda _: None)

        def tend() -> None:
            keep_small(tmp_path, largest=500_000, kept=2)
            if (tmp_path / "noisy.log.2").exists():
                raise StopRequested

        with pytest.raises(StopRequested):
            supervisor.watch(lambda: None, tend=tend)
        assert b"\x00" not in log.read_bytes(), (
            "it is written to from its start, not from where it was before"
        )
        assert process.poll() is None
    finally:
        stop(process, polite=signal.SIGTERM, seconds=5)

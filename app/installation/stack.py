"""What `up` starts, in which order, and when it is healthy."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from app.installation import frontend_build, shared_secret
from app.installation.embedded import EmbeddedPostgres, EmbeddedValkey
from app.installation.home import SIMULATOR, Home, RunRecord
from app.installation.log_files import keep_small
from app.installation.process_commands import (
    QUEUES,
    Launch,
    Urls,
    answers,
    child_environment,
    refuse_taken,
    simulator_launch,
    web_launch,
    worker_launch,
)
from app.installation.processes import end_orphan
from app.installation.reachability import check_database, check_redis, forget_worker_health, worker_is_ready
from app.installation.supervisor import Child, Supervisor
from app.runtime.clock import SystemClock
from app.runtime.config import Settings
from app.runtime.migrations import check_upgradable, upgrade

BUILD_SECONDS: Final = 600
READY_SECONDS: Final = 60
ORPHAN_SECONDS: Final = 5


class Stack:
    """The processes of one installation, started in order under one supervisor.

    `with_browser=False` runs API and webhooks without the UI, which needs no front-end build.
    """

    def __init__(
        self,
        settings: Settings,
        home: Home,
        *,
        say: Callable[[str], None],
        with_browser: bool = True,
    ) -> None:
        # If an account is given, the carrier is real, whatever the environment says.
        self.settings = settings.model_copy(update={"carrier_simulated": False})
        self.home = home
        self.supervisor = Supervisor(say)
        self._say = say
        self._with_browser = with_browser
        self.run = RunRecord(
            pid=os.getpid(),
            url=settings.public_url,
            port=settings.port,
            carrier=settings.carrier if settings.has_carrier else SIMULATOR,
        )

    @contextlib.contextmanager
    def started(self) -> Iterator[RunRecord]:
        """Start everything, yield the record of the run once all is healthy, and stop everything at the end.

        The caller holds the home, and handles signals with the supervisor. Raises
        ServerError, PortTakenError, UnreachableError, BuildError, ChildFailedError, StopRequested.
        """
        killed = self.home.last_run()
        for process in killed.processes if killed else []:
            # The embedded servers end their own orphans.
            end_orphan(process.pid, is_ours=process.is_ours, polite=signal.SIGTERM, seconds=ORPHAN_SECONDS)
        self._check_environment()
        self._phase("Starting")
        try:
            self._start()
            yield self.run
        finally:
            self.supervisor.stop_all()
            self.home.record(None)

    def watch(self) -> None:
        """Keep everything running until a stop is requested. Raises StopRequested."""
        self.supervisor.watch(on_change=self._record, tend=lambda: keep_small(self.home.logs))

    def _start(self) -> None:
        with self._front_end() as front_end:
            urls = self._start_servers()
            self._phase("Migrating the database")
            upgrade(urls.database)
            secrets = self.home.secrets(self.settings.secret)
            shared_secret.claim(urls.database, secrets, now=SystemClock().now())
            forget_worker_health(urls.redis, QUEUES)
            web = self._start_web(urls) if front_end is None else None
            *early, last = self._workers_and_carrier(urls)
            for child in early:
                self.supervisor.start(child)
            self._await_front_end(front_end)
        web = web or self._start_web(urls)
        self._phase("Waiting until everything answers")
        # Each process needs a core while it loads. The slowest, the web process, starts first; one worker is last.
        self.supervisor.wait_until_ready(early, seconds=READY_SECONDS)
        self.supervisor.start(last)
        self.supervisor.wait_until_ready([last, web], seconds=READY_SECONDS)
        self._record(phase="running", ready=True)

    @contextlib.contextmanager
    def _front_end(self) -> Iterator[Future[Path] | None]:
        """Compile the front-end in the background, if it is not built."""
        if not self._with_browser or frontend_build.is_built():
            yield None
            return
        self._say("Building the front-end (once per version)")
        # The compiler ends with the thread that started it, so the thread lives until the compiler has ended.
        with ThreadPoolExecutor(1) as pool:
            yield pool.submit(
                frontend_build.build,
                log=self.home.logs / "frontend.log",
                keep_going=self.supervisor.check,
            )

    def _await_front_end(self, front_end: Future[Path] | None) -> None:
        if front_end is None:
            return
        self._phase("Waiting for the front-end")
        deadline = time.monotonic() + BUILD_SECONDS
        while not front_end.done():
            self.supervisor.check()
            if time.monotonic() > deadline:
                raise frontend_build.BuildError(
                    f"The front-end took too long: see {self.home.logs / 'frontend.log'}"
                )
            time.sleep(0.02)
        front_end.result()

    def _start_servers(self) -> Urls:
        database, redis = self.settings.database_url, self.settings.redis_url
        if not database:
            self._phase("Starting PostgreSQL")
            database = str(self.supervisor.start(EmbeddedPostgres(self.home.path)))
        if not redis:
            redis = str(self.supervisor.start(EmbeddedValkey(self.home.path, persist=True)))
        self._record(database_url=database, redis_url=redis)
        return Urls(database, redis)

    def _workers_and_carrier(self, urls: Urls) -> list[Child]:
        def worker(queue: str) -> Child:
            ready = partial(worker_is_ready, urls.redis, queue)
            return self._child(f"worker-{queue}", worker_launch(queue), urls, ready)

        workers = [worker(queue) for queue in QUEUES]
        if self.run.carrier != SIMULATOR:
            return workers
        return [self._child("simulator", simulator_launch(), urls, self._simulator_listens), *workers]

    def _start_web(self, urls: Urls) -> Child:
        """Start the web process. The front-end must be built first: its environment names the folder."""
        port = self.settings.port
        launch = web_launch(port, self.home.path, with_browser=self._with_browser)
        web = self._child("web", launch, urls, partial(answers, port))
        self.supervisor.start(web)
        return web

    def _child(self, name: str, launch: Launch, urls: Urls, is_ready: Callable[[], bool]) -> Child:
        return Child(
            name=name,
            command=launch.command,
            environment={**child_environment(self.settings, self.home, urls), **launch.environment},
            directory=frontend_build.PROJECT,
            log=self.home.logs / f"{name}.log",
            is_ready=is_ready,
        )

    def _simulator_listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.settings.simulator_port)) == 0

    def _check_environment(self) -> None:
        """Check ports and servers first: an error should come before the front-end is compiled."""
        refuse_taken(self.settings.port, "CALLSHEET_PORT")
        if self.run.carrier == SIMULATOR:
            refuse_taken(self.settings.simulator_port, "SIMULATOR_PORT")
        if self.settings.database_url:
            check_database(self.settings.database_url)
            check_upgradable(self.settings.database_url)
        if self.settings.redis_url:
            check_redis(self.settings.redis_url)

    def _phase(self, phase: str) -> None:
        self.supervisor.check()
        self._say(phase)
        self._record(phase=phase)

    def _record(self, **changes: object) -> None:
        self.run = self.run.model_copy(update={**changes, "processes": self.supervisor.records()})
        self.home.record(self.run)

"""The state machine: hypothesis chooses what happens next, and every law is checked after it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar, Final, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from hypothesis.strategies import integers, lists, sampled_from

from app.runtime.database import Database
from tests.faults.model.carrier import Fate, Mood
from tests.faults.model.laws import check, check_rest
from tests.faults.model.world import Broken, Model, open_model
from tests.support.servers import empty_all_tables

Answer = TypeVar("Answer")

_WORKERS: Final = integers(0, 1)
_ANY: Final = integers(0, 11)
_UNCLEAR: Final = [Mood.LOSES_ANSWER, Mood.LOSES_ORDER, Mood.ACCEPTS_LATE]
_SECONDS: Final = sampled_from([0.5, 4.0, 11.0, 16.0, 31.0, 61.0, 301.0, 3600.0, 5 * 3600.0])


class Campaign(RuleBasedStateMachine):
    """One campaign and everything that may happen to it."""

    runner: ClassVar[asyncio.Runner]
    url: ClassVar[str]
    broken: ClassVar[list[Broken]]
    """What was found. Ids are random, so a history replayed may not be the same to hypothesis: this is."""

    def __init__(self) -> None:
        super().__init__()
        self.model: Model | None = None
        self.rested = False

    @initialize()
    def begin(self) -> None:
        """A campaign is started."""
        empty_all_tables(self.url)
        self.database = Database(self.url, pool_size=2)
        self.model = self._run(open_model(self.database))

    @rule(worker=_WORKERS, most=integers(1, 4))
    def reserve(self, worker: int, most: int) -> None:
        self._do(self._model.reserve(worker, most))

    @rule(worker=_WORKERS, mood=sampled_from(Mood), fate=sampled_from(Fate))
    def place(self, worker: int, mood: Mood, fate: Fate) -> None:
        self._do(self._model.place(worker, mood, fate))

    @rule(worker=_WORKERS)
    def record(self, worker: int) -> None:
        self._do(self._model.record(worker))

    @rule(worker=_WORKERS, moods=lists(sampled_from(Mood), min_size=1, max_size=3), fate=sampled_from(Fate))
    def dial(self, worker: int, moods: list[Mood], fate: Fate) -> None:
        """All three steps at once, for a few people."""
        self._do(self._model.reserve(worker, len(moods)))
        for mood in moods:
            self._do(self._model.place(worker, mood, fate))
        self._do(self._model.record(worker))

    @rule(worker=_WORKERS, what=sampled_from(["pause", "cancel", "suppress", "sleep"]), which=integers(0, 3))
    def overtaken(self, worker: int, what: str, which: int) -> None:
        """Something happens between the reservation and the request."""
        self._do(self._model.reserve(worker, 4))
        if what == "suppress":
            self._do(self._model.suppress(which))
        elif what == "sleep":
            self._model.time_passes(11)
        else:
            self._do(self._model.operate(what))
        for _ in range(4):
            self._do(self._model.place(worker, Mood.ACCEPTS, Fate.ANSWERED))
        self._do(self._model.record(worker))

    @rule(worker=_WORKERS, mood=sampled_from(_UNCLEAR), waits=lists(_SECONDS, min_size=2, max_size=4))
    def unclear(self, worker: int, mood: Mood, waits: list[float]) -> None:
        """An answer is lost, and the carrier is asked again and again."""
        self.dial(worker=worker, moods=[mood], fate=Fate.ANSWERED)
        for seconds in waits:
            self._model.time_passes(seconds)
            self._do(self._model.reconcile())

    @rule(worker=_WORKERS)
    def crash(self, worker: int) -> None:
        self._model.crash(worker)

    @rule(which=_ANY)
    def call_goes_on(self, which: int) -> None:
        self._do(self._model.call_goes_on(which))

    @rule(which=_ANY, event=_ANY)
    def webhook(self, which: int, event: int) -> None:
        self._do(self._model.deliver(which, event))

    @rule(seconds=_SECONDS, times=integers(1, 3))
    def time_passes(self, seconds: float, times: int) -> None:
        for _ in range(times):
            self._model.time_passes(seconds)
            self._do(self._model.reconcile())

    @rule(what=sampled_from(["pause", "resume", "resume", "cancel", "retry failed"]))
    def operate(self, what: str) -> None:
        self._do(self._model.operate(what))

    @rule(which=_ANY)
    def suppress(self, which: int) -> None:
        self._do(self._model.suppress(which))

    @rule()
    def add(self) -> None:
        self._do(self._model.add())

    @rule()
    def complete(self) -> None:
        self._do(self._model.stage.complete())

    def teardown(self) -> None:
        """At the end everything is left to work, and nobody may be missing."""
        if self.model is None:
            return
        try:
            self._run(self.model.come_to_rest())
            self._run(check_rest(self.model))
        finally:
            self._run(self.database.dispose())

    @property
    def _model(self) -> Model:
        assert self.model is not None
        return self.model

    def _do(self, step: Coroutine[Any, Any, object]) -> None:
        self._run(step)
        self._run(check(self._model))

    def _run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        try:
            return self.runner.run(work)
        except Broken as broken:
            self.broken.append(broken)
            raise


def explore(url: str, *, examples: int, steps: int, shrink: bool = True) -> None:
    """Try so many random histories of so many steps.

    Raises `Broken` with the first law that did not hold; its cause tells the history, shrunk to its shortest.
    """
    phases = [Phase.generate, *([Phase.shrink] if shrink else [])]
    found: list[Broken] = []
    with asyncio.Runner() as runner:
        machine = type("OneCampaign", (Campaign,), {"runner": runner, "url": url, "broken": found})
        try:
            run_state_machine_as_test(machine, settings=_settings(examples, steps, phases))
        except BaseException as error:
            if found:
                raise found[0] from error
            raise


def _settings(examples: int, steps: int, phases: list[Phase]) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=phases,
        deadline=None,
        derandomize=True,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )

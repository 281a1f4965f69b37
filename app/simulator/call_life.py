"""One call from the queue to its end, as a task."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from app.simulator import wire
from app.simulator.clock import SimulatedClock
from app.simulator.fields import call_progress_fields
from app.simulator.personas import CANCELED, COMPLETED, NO_ANSWER, Ending, PersonCalled
from app.simulator.script import Script, Source
from app.simulator.state import SimulatedCall
from app.simulator.webhooks import Webhooks

_SETUP_SECONDS = 1.0
"""From handing the call to the network until it rings."""
_DEFAULT_TIMEOUT = 60
_LONGEST_TIMEOUT = 600
_DEFAULT_TIME_LIMIT = 14_400
_DETECTION_TIMEOUT = 30
_PRICE_PER_MINUTE = 0.014


@dataclass(frozen=True, slots=True)
class Network:
    """What all calls share."""

    account_sid: str
    clock: SimulatedClock
    webhooks: Webhooks


class CallLife:
    """Runs one call. `hang_up` and `redirect` are the customer's commands while it lives."""

    def __init__(self, *, call: SimulatedCall, person: PersonCalled, network: Network) -> None:
        self._call = call
        self._person = person
        self._clock = network.clock
        self._webhooks = network.webhooks
        self._account_sid = network.account_sid
        self._command: Ending | None = None
        self._progress: asyncio.Task[Ending] | None = None
        self._document: asyncio.Task[None] | None = None
        self._redirected: Source | None = None

    async def run(self) -> None:
        """Run the call to its end."""
        progress = self._progress = asyncio.create_task(self._live())
        if self._command is not None:
            progress.cancel()
        try:
            await asyncio.wait({progress})
        finally:
            progress.cancel()
        self._end(self._command or progress.result())

    def hang_up(self) -> None:
        """End the call now: as canceled if it is not answered yet."""
        self._command = COMPLETED if self._call.status == "in-progress" else CANCELED
        if self._progress is not None:
            self._progress.cancel()

    def redirect(self, source: Source) -> None:
        """Leave the current document and follow this one."""
        self._redirected = source
        if self._document is not None:
            self._document.cancel()

    async def _live(self) -> Ending:
        await self._clock.sleep(self._call.queue_seconds)
        self._call.dialed_at = self._touch()
        self._report("initiated", "initiated")
        await self._clock.sleep(_SETUP_SECONDS)
        if self._person.refusal is not None and not self._person.rings:
            return self._person.refusal
        self._call.status = "ringing"
        self._touch()
        self._report("ringing", "ringing")
        timeout = min(_integer(self._call, "Timeout", _DEFAULT_TIMEOUT), _LONGEST_TIMEOUT)
        await self._clock.sleep(min(self._person.rings, timeout))
        if self._person.rings >= timeout:
            return NO_ANSWER
        if self._person.refusal is not None:
            return self._person.refusal
        return await self._answered()

    async def _answered(self) -> Ending:
        self._call.status = "in-progress"
        self._call.answered_at = self._touch()
        answered_at = self._clock.elapsed()
        self._report("answered", "in-progress")
        try:
            await self._converse()
        finally:
            self._call.duration = max(1, round(self._clock.elapsed() - answered_at))
        return COMPLETED

    async def _converse(self) -> None:
        limit = min(self._person.stays, _integer(self._call, "TimeLimit", _DEFAULT_TIME_LIMIT))
        deadline = asyncio.create_task(self._clock.sleep(limit))
        detection = asyncio.create_task(self._detect_aside()) if self._detects_aside else None
        script = self._script()
        self._document = asyncio.create_task(self._open(script))
        try:
            while not await self._is_over(self._document, deadline):
                source, self._redirected = self._redirected, None
                assert source is not None
                self._document = asyncio.create_task(script.follow(source))
        finally:
            for task in (deadline, detection, self._document):
                if task is not None:
                    task.cancel()

    async def _is_over(self, document: asyncio.Task[None], deadline: asyncio.Task[None]) -> bool:
        await asyncio.wait({document, deadline}, return_when=asyncio.FIRST_COMPLETED)
        if self._redirected is not None and not deadline.done():
            return False
        if document.done() and not document.cancelled():
            document.result()
        return True

    async def _open(self, script: Script) -> None:
        fields: tuple[tuple[str, str], ...] = ()
        if self._detects and not self._detects_aside:
            fields = await self._detect()
        parameters = self._call.parameters
        if parameters.get("Url"):
            await script.follow(Source(parameters["Url"], parameters.get("Method", "POST"), fields))
        else:
            await script.follow(Source(document=parameters["Twiml"]))

    def _script(self) -> Script:
        parameters = self._call.parameters
        fallback = parameters.get("FallbackUrl")
        return Script(
            call=self._call,
            person=self._person,
            account_sid=self._account_sid,
            webhooks=self._webhooks,
            clock=self._clock,
            fallback=Source(fallback, parameters.get("FallbackMethod", "POST")) if fallback else None,
        )

    @property
    def _detects(self) -> bool:
        wanted = self._call.parameters.get("MachineDetection", "") in {"Enable", "DetectMessageEnd"}
        return wanted and "SendDigits" not in self._call.parameters

    @property
    def _detects_aside(self) -> bool:
        return self._detects and self._call.parameters.get("AsyncAmd") == "true"

    async def _detect(self) -> tuple[tuple[str, str], ...]:
        parameters = self._call.parameters
        verdict = self._person.verdict(to_the_end=parameters["MachineDetection"] == "DetectMessageEnd")
        patience = _integer(self._call, "MachineDetectionTimeout", _DETECTION_TIMEOUT)
        answered_by = verdict.answered_by if verdict.seconds <= patience else "unknown"
        seconds = min(verdict.seconds, patience)
        await self._clock.sleep(seconds)
        self._call.answered_by = answered_by
        self._touch()
        return (("AnsweredBy", answered_by), ("MachineDetectionDuration", str(round(seconds * 1000))))

    async def _detect_aside(self) -> None:
        verdict = await self._detect()
        parameters = self._call.parameters
        fields = [("AccountSid", self._account_sid), ("CallSid", self._call.sid), *verdict]
        method = parameters.get("AsyncAmdStatusCallbackMethod", "POST")
        self._webhooks.report(parameters["AsyncAmdStatusCallback"], fields, method=method)

    def _end(self, ending: Ending) -> None:
        call = self._call
        call.status, call.sip_code = ending.status, ending.sip_code
        call.ended_at = self._touch()
        if call.answered_at is not None:
            call.price = wire.price(_PRICE_PER_MINUTE * wire.billed_minutes(call.duration or 0))
        self._report("completed", call.status)

    def _touch(self) -> datetime:
        self._call.updated_at = self._clock.now()
        return self._call.updated_at

    def _report(self, event: str, status: str) -> None:
        parameters = self._call.parameters
        url = parameters.get("StatusCallback")
        if not url or event not in (parameters.getlist("StatusCallbackEvent") or ["completed"]):
            return
        fields = call_progress_fields(self._call, self._account_sid, status, self._clock.now())
        self._call.callbacks_fired += 1
        self._webhooks.report(url, fields, method=parameters.get("StatusCallbackMethod", "POST"))


def _integer(call: SimulatedCall, name: str, default: int) -> int:
    text = call.parameters.get(name, "")
    return int(text) if text.isdecimal() else default

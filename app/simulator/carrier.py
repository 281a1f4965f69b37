"""The carrier: accepts calls and messages, starts them, and holds what they share."""

import re
from datetime import datetime

from starlette.datastructures import QueryParams

from app.simulator import wire
from app.simulator.call_life import CallLife, Network
from app.simulator.call_rate import CallRate
from app.simulator.casting import Casting
from app.simulator.clock import SimulatedClock
from app.simulator.faults import Faults
from app.simulator.fields import inbound_message_fields
from app.simulator.message_life import MessageLife
from app.simulator.personas import Ending, PersonCalled, SmsFate
from app.simulator.settings import SimulatorSettings
from app.simulator.state import AccountState, Message, SimulatedCall
from app.simulator.webhooks import Webhooks

_STOP_WORDS = frozenset(["stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"])
_START_WORDS = frozenset(["start", "yes", "unstop"])


class NotOwned(ValueError):
    """The account does not own this number."""


class SimulatedCarrier:
    """One carrier with one account."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self.settings = settings
        self.clock = SimulatedClock(settings.speed)
        self.started_at = self.clock.now()
        """Calls and messages from before this are not known: everything is kept in memory."""
        self.state = AccountState()
        self.faults = Faults(settings.seed)
        self.casting = Casting(settings.seed)
        self.call_rate = CallRate(self.clock, settings.calls_per_second)
        self.webhooks = Webhooks(
            account_sid=settings.account_sid,
            auth_token=settings.auth_token,
            clock=self.clock,
            faults=self.faults,
        )
        self._network = Network(settings.account_sid, self.clock, self.webhooks)
        self._lives: dict[str, CallLife] = {}
        for number in settings.numbers:
            self.state.own(number, self.clock.now())

    async def close(self) -> None:
        """Stop all calls and messages in progress. No callback reports it, as when a carrier goes down."""
        await self.webhooks.close()

    def place_call(self, parameters: QueryParams) -> SimulatedCall:
        """Accept a call and start it. The caller has checked the parameters."""
        cast = self.casting.call(parameters["To"])
        person = self._person_reached(parameters["From"], cast.person)
        now = self.clock.now()
        call = SimulatedCall(
            sid=wire.new_sid("CA"),
            ordinal=len(self.state.calls),
            to=parameters["To"],
            from_=parameters["From"],
            parameters=parameters,
            persona=cast.persona,
            queue_seconds=self.call_rate.take_turn(),
            created_at=now,
            updated_at=now,
        )
        self.state.calls.add(call)
        life = self._lives[call.sid] = CallLife(call=call, person=person, network=self._network)
        self.webhooks.spawn(self._live(call, life))
        return call

    def _person_reached(self, from_: str, person: PersonCalled) -> PersonCalled:
        """Return the person, or one whose network rejects the call because `from_` is flagged."""
        owned = self.state.numbers.get(from_)
        if owned is None or owned.flagged is None:
            return person
        return PersonCalled(rings=0.0, refusal=Ending("failed", owned.flagged))

    def life_of(self, call: SimulatedCall) -> CallLife | None:
        """Return the task object of a running call; None if the call has ended."""
        return self._lives.get(call.sid)

    async def _live(self, call: SimulatedCall, life: CallLife) -> None:
        try:
            await life.run()
        finally:
            del self._lives[call.sid]

    def send_message(self, parameters: QueryParams, *, send_at: datetime | None) -> Message:
        """Accept a message and start it. The caller has checked the parameters."""
        cast = self.casting.message(parameters["To"])
        service = parameters.get("MessagingServiceSid")
        status = "scheduled" if send_at else "accepted" if service else "queued"
        sender = parameters.get("From") or next(iter(self.state.numbers))
        message = self._new_message(
            to=parameters["To"],
            from_=parameters.get("From"),
            body=parameters.get("Body", ""),
            direction="outbound-api",
            parameters=parameters,
            status=status,
        )
        message.persona = cast.persona
        message.messaging_service_sid = service
        owned = self.state.numbers.get(sender)
        fate = cast.fate if owned is None or owned.flagged is None else SmsFate("undelivered", 30450)
        life = MessageLife(message=message, fate=fate, sender=sender, send_at=send_at, network=self._network)
        self.webhooks.spawn(self._deliver(message, fate, life))
        return message

    async def _deliver(self, message: Message, fate: SmsFate, life: MessageLife) -> None:
        reached = await life.run()
        if reached and fate.reply and message.from_:
            await self.clock.sleep(4.0)
            self.receive_message(person=message.to, number=message.from_, body=fate.reply)

    def receive_message(self, *, person: str, number: str, body: str, url: str = "") -> Message:
        """Receive a person's text to one of our numbers, and report it to `url` or else to the number's SmsUrl.

        STOP and START opt the person out and in again. Raises `NotOwned` if the account does not own the number.
        """
        owned = self.state.numbers.get(number)
        if owned is None:
            raise NotOwned(f"the account does not own {number}")
        message = self._new_message(
            to=number,
            from_=person,
            body=body,
            direction="inbound",
            parameters=QueryParams(),
            status="received",
        )
        opt_out = self._apply_keyword(person, number, body)
        fields = inbound_message_fields(message, self.settings.account_sid)
        if opt_out:
            fields.append(("OptOutType", opt_out))
        if url or owned.sms_url:
            self.webhooks.report(url or owned.sms_url, fields, method="POST" if url else owned.sms_method)
        return message

    def _apply_keyword(self, person: str, number: str, body: str) -> str:
        """Record an opt-out or opt-in; return the webhook's OptOutType, empty for any other text."""
        word = re.sub(r"\W+", "", body).lower()
        if word in _STOP_WORDS:
            self.state.opted_out.add((person, number))
            return "STOP"
        if word in _START_WORDS:
            self.state.opted_out.discard((person, number))
            return "START"
        return ""

    def _new_message(
        self, *, to: str, from_: str | None, body: str, direction: str, parameters: QueryParams, status: str
    ) -> Message:
        now = self.clock.now()
        message = Message(
            sid=wire.new_sid("SM"),
            ordinal=len(self.state.messages),
            to=to,
            from_=from_,
            body=body,
            direction=direction,
            parameters=parameters,
            persona=None,
            status=status,
            created_at=now,
            updated_at=now,
        )
        self.state.messages.add(message)
        return message

"""The control API, `/_simulator`: what a real carrier does not offer. Ledger, faults, personas, numbers, speed."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from app.simulator import wire
from app.simulator.carrier import NotOwned, SimulatedCarrier
from app.simulator.casting import BadPersona
from app.simulator.faults import BadFault
from app.simulator.rest import Json
from app.simulator.state import Message, SimulatedCall, grouped

_CHUNK = 500
"""Ledger lines written at once."""

_FLAGS = frozenset({603, 607, 608})
"""SIP codes by which networks reject calls from a flagged number."""


class BadControl(ValueError):
    """The control request lacks a field or has a wrong value."""


class Control:
    """The control API of one carrier. It needs no password: the carrier listens on loopback only."""

    def __init__(self, carrier: SimulatedCarrier) -> None:
        self._carrier = carrier

    def routes(self) -> list[Route]:
        """Return the routes below `/_simulator`."""
        return [
            Route("/health", self.health, methods=["GET"]),
            Route("/ledger", self.ledger, methods=["GET"]),
            Route("/requests", self.requests, methods=["GET"]),
            Route("/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route("/personas", self.personas, methods=["GET", "POST"]),
            Route("/numbers", self.own_number, methods=["POST"]),
            Route("/numbers/{number}", self.disown_number, methods=["DELETE"]),
            Route("/caller-ids", self.verify_caller_id, methods=["POST"]),
            Route("/inbound", self.inbound, methods=["POST"]),
            Route("/speed", self.set_speed, methods=["POST"]),
            Route("/pace", self.set_pace, methods=["POST"]),
        ]

    async def health(self, _: Request) -> Response:
        """Report that the carrier works, its settings, and how many calls and messages it has."""
        state = self._carrier.state
        return JSONResponse(
            {
                "status": "ok",
                "started_at": _iso(self._carrier.started_at),
                "account_sid": self._carrier.settings.account_sid,
                "speed": self._carrier.clock.speed,
                "seed": self._carrier.settings.seed,
                "calls_per_second": self._carrier.call_rate.calls_per_second,
                "numbers": list(state.numbers),
                "calls": len(state.calls),
                "live_calls": sum(call.is_live for call in state.calls),
                "messages": len(state.messages),
                "refused": len(state.refused),
            }
        )

    async def ledger(self, _: Request) -> Response:
        """List every accepted call and message, deleted ones too, oldest first, as JSON lines."""
        state = self._carrier.state
        entries = [_call_entry(call) for call in state.calls] + [
            _message_entry(one) for one in state.messages
        ]
        return _lines(sorted(entries, key=lambda entry: str(entry["accepted_at"])))

    async def requests(self, _: Request) -> Response:
        """List every create request that was not accepted, as JSON lines."""
        return _lines(
            {
                "at": _iso(refused.at),
                "path": refused.path,
                "status": refused.status,
                "code": refused.code,
                "why": refused.why,
                "parameters": refused.parameters,
            }
            for refused in self._carrier.state.refused
        )

    async def faults(self, request: Request) -> Response:
        """Show the faults and how often each struck. POST replaces all of them, DELETE removes them."""
        if request.method == "DELETE":
            self._carrier.faults.replace({})
            return Response(status_code=204)
        if request.method == "POST":
            self._carrier.faults.replace(await _body(request))
        return JSONResponse(self._carrier.faults.as_dict())

    async def personas(self, request: Request) -> Response:
        """Show the numbers with a fixed persona, and the mix of all others. POST sets one number, the mix, or both."""
        body = await _body(request) if request.method == "POST" else {}
        if "default_mix" in body:
            self._carrier.casting.set_mix(_shares(body["default_mix"]))
        if "number" in body or "persona" in body:
            self._carrier.casting.fix(_number(body, "number"), _text(body, "persona"))
        return JSONResponse(self._carrier.casting.as_dict())

    async def own_number(self, request: Request) -> Response:
        """Add a number to the account, or change its capabilities, its webhook URLs, or whether it is flagged."""
        body = await _body(request)
        owned = self._carrier.state.own(_number(body, "number"), self._carrier.clock.now())
        owned.sms_url = str(body.get("sms_url", owned.sms_url))
        owned.voice_url = str(body.get("voice_url", owned.voice_url))
        owned.sms = _flag(body, "sms", default=owned.sms)
        if "flagged" in body:
            code = body["flagged"]
            if code is not None and code not in _FLAGS:
                raise BadControl(f"flagged must be one of {', '.join(map(str, sorted(_FLAGS)))}, or null")
            owned.flagged = None if code is None else int(str(code))
        answer = {
            "number": owned.number,
            "sid": owned.sid,
            "sms_url": owned.sms_url,
            "voice_url": owned.voice_url,
            "sms": owned.sms,
            "flagged": owned.flagged,
        }
        return JSONResponse(answer, 201)

    async def disown_number(self, request: Request) -> Response:
        """Remove a number, or a verified caller ID, from the account."""
        number = request.path_params["number"]
        self._carrier.state.numbers.pop(number, None)
        self._carrier.state.verified.pop(number, None)
        return Response(status_code=204)

    async def verify_caller_id(self, request: Request) -> Response:
        """Add a verified caller ID: a number that the account does not own but may call from."""
        number = _number(await _body(request), "number")
        verified = self._carrier.state.verify(number, self._carrier.clock.now())
        return JSONResponse({"number": verified.number, "sid": verified.sid}, 201)

    async def inbound(self, request: Request) -> Response:
        """Receive a text from a person to one of our numbers."""
        body = await _body(request)
        message = self._carrier.receive_message(
            person=_number(body, "from"),
            number=_number(body, "to"),
            body=_text(body, "body"),
            url=str(body.get("url", "")),
        )
        return JSONResponse({"sid": message.sid}, 201)

    async def set_speed(self, request: Request) -> Response:
        """Change how fast time passes."""
        self._carrier.clock.set_speed(_positive(await _body(request), "speed"))
        return JSONResponse({"speed": self._carrier.clock.speed})

    async def set_pace(self, request: Request) -> Response:
        """Change how many calls a second the account may start."""
        self._carrier.call_rate.set_rate(_positive(await _body(request), "calls_per_second"))
        return JSONResponse({"calls_per_second": self._carrier.call_rate.calls_per_second})


CONTROL_ERRORS: tuple[type[Exception], ...] = (BadControl, BadFault, BadPersona, NotOwned)


def _call_entry(call: SimulatedCall) -> Json:
    return {
        "kind": "call",
        "sid": call.sid,
        "direction": call.direction,
        "to": call.to,
        "from": call.from_,
        "persona": call.persona,
        "status": call.status,
        "sip_response_code": call.sip_code,
        "answered_by": call.answered_by,
        "queue_seconds": round(call.queue_seconds, 3),
        "duration": call.duration,
        "accepted_at": _iso(call.created_at),
        "dialed_at": _iso(call.dialed_at),
        "answered_at": _iso(call.answered_at),
        "ended_at": _iso(call.ended_at),
        "parameters": grouped(call.parameters),
        "heard": call.heard,
    }


def _message_entry(message: Message) -> Json:
    return {
        "kind": "message",
        "sid": message.sid,
        "direction": message.direction,
        "to": message.to,
        "from": message.from_,
        "persona": message.persona,
        "status": message.status,
        "error_code": message.error_code,
        "body": message.body,
        "accepted_at": _iso(message.created_at),
        "sent_at": _iso(message.sent_at),
        "parameters": grouped(message.parameters),
    }


def _lines(entries: Iterable[Json]) -> StreamingResponse:
    async def write() -> AsyncIterator[str]:
        chunk: list[str] = []
        for entry in entries:
            chunk.append(json.dumps(entry, ensure_ascii=False))
            if len(chunk) == _CHUNK:
                yield "\n".join(chunk) + "\n"
                chunk = []
        if chunk:
            yield "\n".join(chunk) + "\n"

    return StreamingResponse(write(), media_type="application/x-ndjson")


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


async def _body(request: Request) -> Mapping[str, object]:
    try:
        body = await request.json()
    except json.JSONDecodeError as error:
        raise BadControl(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise BadControl("the body must be a JSON object")
    return body


def _text(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadControl(f"{name} is required")
    return value


def _number(body: Mapping[str, object], name: str) -> str:
    number = _text(body, name)
    if not wire.is_e164(number):
        raise BadControl(f"{name} must be a phone number as +12015550123")
    return number


def _flag(body: Mapping[str, object], name: str, *, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise BadControl(f"{name} must be true or false")
    return value


def _positive(body: Mapping[str, object], name: str) -> float:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise BadControl(f"{name} must be a number above zero")
    return float(value)


def _shares(value: object) -> dict[str, float]:
    if not isinstance(value, dict):
        raise BadControl("default_mix must be an object of persona names and shares")
    for share in value.values():
        if isinstance(share, bool) or not isinstance(share, int | float) or share < 0:
            raise BadControl("a share must be a number, zero or more")
    return {str(name): float(share) for name, share in value.items()}

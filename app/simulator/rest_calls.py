"""The Calls resource: create, list, fetch, update, delete, and a call's Events."""

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.simulator import wire
from app.simulator.carrier import SimulatedCarrier
from app.simulator.errors import RequestRefused
from app.simulator.journal import creation
from app.simulator.rest import Creation, Json, ListPage, is_web_address, read_form, within
from app.simulator.script import Source
from app.simulator.settings import TEST_NUMBER
from app.simulator.state import SimulatedCall

_REFUSED_TO = {"+15005550001": 21211, "+15005550002": 21214, "+15005550003": 21215, "+15005550004": 21216}
"""Twilio's magic numbers, as numbers to call."""
_SUBRESOURCES = [
    "notifications",
    "recordings",
    "payments",
    "events",
    "siprec",
    "streams",
    "transcriptions",
    "user_defined_message_subscriptions",
    "user_defined_messages",
]
_LONGEST_TWIML = 4000


class CallsResource:
    """Twilio's Calls over one carrier."""

    def __init__(self, carrier: SimulatedCarrier) -> None:
        self._carrier = carrier
        self._base = f"/{wire.API_VERSION}/Accounts/{carrier.settings.account_sid}"
        self._creation = Creation(carrier)

    def routes(self) -> list[Route]:
        """Return the resource's routes, below the account."""
        return [
            Route("/Calls.json", self.create, methods=["POST"]),
            Route("/Calls.json", self.list, methods=["GET"]),
            Route("/Calls/{sid}.json", self.fetch, methods=["GET"]),
            Route("/Calls/{sid}.json", self.update, methods=["POST"]),
            Route("/Calls/{sid}.json", self.delete, methods=["DELETE"]),
            Route("/Calls/{sid}/Events.json", self.events, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        """Accept a call, or refuse it."""
        return await self._creation.create(request, self._accept)

    def _accept(self, parameters: QueryParams) -> Json:
        self._check(parameters)
        return self.render(self._carrier.place_call(parameters))

    def _check(self, parameters: QueryParams) -> None:
        self._check_to(parameters.get("To", ""))
        self._check_from(parameters.get("From", ""))
        if parameters.get("To") == parameters.get("From"):
            raise RequestRefused(21266)
        _check_instructions(parameters)
        _check_callbacks(parameters)

    def _check_to(self, to: str) -> None:
        if not to:
            raise RequestRefused(21201)
        if to in _REFUSED_TO:
            raise RequestRefused(_REFUSED_TO[to], to)
        if not wire.is_e164(to):
            raise RequestRefused(21211, to)

    def _check_from(self, from_: str) -> None:
        if not from_:
            raise RequestRefused(21213)
        if from_ == "+15005550001" or not wire.is_e164(from_):
            raise RequestRefused(21212, from_)
        state = self._carrier.state
        if from_ != TEST_NUMBER and from_ not in state.numbers and from_ not in state.verified:
            raise RequestRefused(21210, from_)

    async def list(self, request: Request) -> Response:
        """List calls, newest first."""
        query = request.query_params
        records = self._carrier.state.calls.newest_first(query.get("To") or None)
        matching = (call for call in records if _matches(call, query))
        return ListPage(request, "calls").json(matching, self.render)

    async def fetch(self, request: Request) -> Response:
        """Show one call."""
        return JSONResponse(self.render(self._find(request)))

    async def update(self, request: Request) -> Response:
        """End or redirect a live call; error 21220 if its state does not allow that."""
        call = self._find(request)
        parameters = await read_form(request)
        if not call.is_live:
            raise RequestRefused(21220, call.status)
        if "Status" in parameters:
            self._end(call, parameters["Status"])
        elif parameters.get("Url") or parameters.get("Twiml"):
            self._redirect(call, parameters)
        return JSONResponse(self.render(call))

    def _end(self, call: SimulatedCall, status: str) -> None:
        if status not in {"canceled", "completed"}:
            raise RequestRefused(20001, f"Status {status}")
        if status == "canceled" and call.status == "in-progress":
            raise RequestRefused(21220, call.status)
        life = self._carrier.life_of(call)
        if life is not None:
            life.hang_up()

    def _redirect(self, call: SimulatedCall, parameters: QueryParams) -> None:
        _check_instructions(parameters)
        life = self._carrier.life_of(call)
        if life is None or call.status != "in-progress":
            raise RequestRefused(21220, call.status)
        if parameters.get("Url"):
            life.redirect(Source(parameters["Url"], parameters.get("Method", "POST")))
        else:
            life.redirect(Source(document=parameters["Twiml"]))

    async def delete(self, request: Request) -> Response:
        """Forget an ended call; the ledger keeps it."""
        call = self._find(request)
        if call.is_live:
            raise RequestRefused(20001, "a call under way can't be deleted")
        call.deleted = True
        return Response(status_code=204)

    async def events(self, request: Request) -> Response:
        """Show the request that created the call, and every request of its script."""
        call = self._find(request)
        created: list[Json] = [creation(call, f"{self._base}/Calls.json", 201)]
        return ListPage(request, "events").envelope([*created, *call.exchanges])

    def _find(self, request: Request) -> SimulatedCall:
        call = self._carrier.state.calls.get(request.path_params["sid"])
        if call is None:
            raise RequestRefused(20404, request.url.path)
        return call

    def render(self, call: SimulatedCall) -> Json:
        """Return the call with every property that Twilio's REST API shows."""
        path = f"{self._base}/Calls/{call.sid}"
        return {
            "sid": call.sid,
            "date_created": wire.rfc2822(call.created_at),
            "date_updated": wire.rfc2822(call.updated_at),
            "parent_call_sid": None,
            "account_sid": self._carrier.settings.account_sid,
            "to": call.to,
            "to_formatted": wire.formatted(call.to),
            "from": call.from_,
            "from_formatted": wire.formatted(call.from_),
            "phone_number_sid": wire.number_sid(call.from_),
            "status": call.status,
            "start_time": wire.rfc2822(call.dialed_at),
            "end_time": wire.rfc2822(call.ended_at),
            "duration": None if call.is_live else str(call.duration or 0),
            "price": call.price,
            "price_unit": "USD",
            "direction": call.direction,
            "answered_by": call.answered_by,
            "api_version": wire.API_VERSION,
            "forwarded_from": None,
            "group_sid": None,
            "caller_name": None,
            "queue_time": str(round(call.queue_seconds * 1000)),
            "trunk_sid": None,
            "uri": f"{path}.json",
            "subresource_uris": {name: f"{path}/{_segment(name)}.json" for name in _SUBRESOURCES},
        }


def _segment(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _check_instructions(parameters: QueryParams) -> None:
    url, twiml = parameters.get("Url"), parameters.get("Twiml")
    if not url and not twiml:
        raise RequestRefused(21205, "a Url or Twiml is required")
    if url and not is_web_address(url):
        raise RequestRefused(21205, url)
    if twiml and len(twiml) > _LONGEST_TWIML:
        raise RequestRefused(20001, f"Twiml is longer than {_LONGEST_TWIML} characters")


def _check_callbacks(parameters: QueryParams) -> None:
    for name in ("StatusCallback", "AsyncAmdStatusCallback", "FallbackUrl"):
        url = parameters.get(name)
        if url and not is_web_address(url):
            raise RequestRefused(21609 if name == "StatusCallback" else 21205, url)
    if parameters.get("AsyncAmd") == "true" and not parameters.get("AsyncAmdStatusCallback"):
        raise RequestRefused(21262)
    for name in ("Timeout", "TimeLimit", "MachineDetectionTimeout"):
        if not parameters.get(name, "0").isdecimal():
            raise RequestRefused(20001, name)


def _matches(call: SimulatedCall, query: QueryParams) -> bool:
    return (
        query.get("From", "") in {"", call.from_}
        and query.get("Status", "") in {"", call.status}
        and not query.get("ParentCallSid")
        and within(query, "StartTime", call.dialed_at)
        and within(query, "EndTime", call.ended_at)
    )

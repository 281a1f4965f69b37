"""The Messages resource: create, list, fetch, cancel, redact, delete."""

import re
from datetime import datetime, timedelta

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.simulator import wire
from app.simulator.carrier import SimulatedCarrier
from app.simulator.errors import RequestRefused
from app.simulator.rest import Creation, Json, ListPage, is_web_address, read_form, within
from app.simulator.settings import TEST_NUMBER
from app.simulator.state import Message

_REFUSED_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
_REFUSED_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
"""Twilio's magic numbers, as receivers and senders of messages."""
_LONGEST_BODY = 1600
_SERVICE_SID = re.compile(r"MG[0-9a-f]{32}")
_SOONEST, _LATEST = timedelta(minutes=15), timedelta(days=35)
"""How far in the future a message may be scheduled."""


class MessagesResource:
    """Twilio's Messages over one carrier."""

    def __init__(self, carrier: SimulatedCarrier) -> None:
        self._carrier = carrier
        self._base = f"/{wire.API_VERSION}/Accounts/{carrier.settings.account_sid}"
        self._creation = Creation(carrier)

    def routes(self) -> list[Route]:
        """Return the resource's routes, below the account."""
        return [
            Route("/Messages.json", self.create, methods=["POST"]),
            Route("/Messages.json", self.list, methods=["GET"]),
            Route("/Messages/{sid}.json", self.fetch, methods=["GET"]),
            Route("/Messages/{sid}.json", self.update, methods=["POST"]),
            Route("/Messages/{sid}.json", self.delete, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        """Accept a message, or refuse it."""
        return await self._creation.create(request, self._accept)

    def _accept(self, parameters: QueryParams) -> Json:
        self._check_to(parameters.get("To", ""))
        self._check_sender(parameters)
        _check_content(parameters)
        send_at = self._send_at(parameters)
        return self.render(self._carrier.send_message(parameters, send_at=send_at))

    def _check_to(self, to: str) -> None:
        if not to:
            raise RequestRefused(21604)
        if to in _REFUSED_TO:
            raise RequestRefused(_REFUSED_TO[to], to)
        if not wire.is_e164(to):
            raise RequestRefused(21211, to)

    def _check_sender(self, parameters: QueryParams) -> None:
        from_, to = parameters.get("From", ""), parameters["To"]
        if not from_:
            if not _SERVICE_SID.fullmatch(parameters.get("MessagingServiceSid", "")):
                raise RequestRefused(21603)
            return
        if from_ in _REFUSED_FROM:
            raise RequestRefused(_REFUSED_FROM[from_], from_)
        if not wire.is_e164(from_):
            raise RequestRefused(21212, from_)
        owned = self._carrier.state.numbers.get(from_)
        if from_ != TEST_NUMBER and (owned is None or not owned.sms):
            raise RequestRefused(21606, from_)
        if to == from_:
            raise RequestRefused(21266)
        if (to, from_) in self._carrier.state.opted_out:
            raise RequestRefused(21610, to)

    def _send_at(self, parameters: QueryParams) -> datetime | None:
        if parameters.get("ScheduleType") != "fixed":
            return None
        if not parameters.get("MessagingServiceSid"):
            raise RequestRefused(35118)
        moment = wire.parse_moment(parameters.get("SendAt", ""))
        if not isinstance(moment, datetime) or not _SOONEST <= moment - self._carrier.clock.now() <= _LATEST:
            raise RequestRefused(35114)
        return moment

    async def list(self, request: Request) -> Response:
        """List sent and received messages, newest first."""
        query = request.query_params
        records = self._carrier.state.messages.newest_first(query.get("To") or None)
        matching = (message for message in records if _matches(message, query))
        return ListPage(request, "messages").json(matching, self.render)

    async def fetch(self, request: Request) -> Response:
        """Show one message."""
        return JSONResponse(self.render(self._find(request)))

    async def update(self, request: Request) -> Response:
        """Cancel a scheduled message, or blank a body."""
        message = self._find(request)
        parameters = await read_form(request)
        if parameters.get("Status") == "canceled":
            if message.status not in {"scheduled", "accepted"}:
                raise RequestRefused(30409)
            message.status = "canceled"
        if parameters.get("Body") == "":
            message.body = ""
        message.updated_at = self._carrier.clock.now()
        return JSONResponse(self.render(message))

    async def delete(self, request: Request) -> Response:
        """Forget a message; the ledger keeps it."""
        self._find(request).deleted = True
        return Response(status_code=204)

    def _find(self, request: Request) -> Message:
        message = self._carrier.state.messages.get(request.path_params["sid"])
        if message is None:
            raise RequestRefused(20404, request.url.path)
        return message

    def render(self, message: Message) -> Json:
        """Return the message with every property that Twilio's REST API shows."""
        path = f"{self._base}/Messages/{message.sid}"
        has_sender = message.from_ is not None
        return {
            "body": message.body,
            "num_segments": str(wire.segments(message.body)) if has_sender else "0",
            "direction": message.direction,
            "from": message.from_,
            "to": message.to,
            "date_updated": wire.rfc2822(message.updated_at),
            "price": message.price,
            "error_message": message.error_message,
            "uri": f"{path}.json",
            "account_sid": self._carrier.settings.account_sid,
            "num_media": str(len(message.parameters.getlist("MediaUrl"))),
            "status": message.status,
            "messaging_service_sid": message.messaging_service_sid,
            "sid": message.sid,
            "date_sent": wire.rfc2822(message.sent_at),
            "date_created": wire.rfc2822(message.created_at),
            "error_code": message.error_code,
            "price_unit": "USD",
            "api_version": wire.API_VERSION,
            "subresource_uris": {"media": f"{path}/Media.json", "feedback": f"{path}/Feedback.json"},
        }


def _check_content(parameters: QueryParams) -> None:
    body = parameters.get("Body", "")
    if not body and not parameters.get("MediaUrl") and not parameters.get("ContentSid"):
        raise RequestRefused(21602)
    if len(body) > _LONGEST_BODY:
        raise RequestRefused(21617)
    url = parameters.get("StatusCallback")
    if url and not is_web_address(url):
        raise RequestRefused(21609, url)


def _matches(message: Message, query: QueryParams) -> bool:
    return query.get("From", "") in {"", message.from_} and within(query, "DateSent", message.sent_at)

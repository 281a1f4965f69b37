"""The account itself and the numbers it owns."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.simulator import wire
from app.simulator.carrier import SimulatedCarrier
from app.simulator.errors import RequestRefused
from app.simulator.faults import FaultName
from app.simulator.rest import Json, ListPage, is_web_address, read_form
from app.simulator.state import AccountNumber, VerifiedCallerId


class AccountResource:
    """Twilio's Accounts, IncomingPhoneNumbers and OutgoingCallerIds over one carrier."""

    def __init__(self, carrier: SimulatedCarrier) -> None:
        self._carrier = carrier
        self._account_sid = carrier.settings.account_sid
        self._base = f"/{wire.API_VERSION}/Accounts/{self._account_sid}"
        self._opened_at = carrier.clock.now()

    def routes(self) -> list[Route]:
        """Return the routes below the account. `fetch_account` serves the account itself."""
        return [
            Route("/IncomingPhoneNumbers.json", self.list_numbers, methods=["GET"]),
            Route("/IncomingPhoneNumbers/{sid}.json", self.fetch_number, methods=["GET"]),
            Route("/IncomingPhoneNumbers/{sid}.json", self.update_number, methods=["POST"]),
            Route("/OutgoingCallerIds.json", self.list_caller_ids, methods=["GET"]),
        ]

    async def fetch_account(self, _: Request) -> Response:
        """Show the account."""
        opened = wire.rfc2822(self._opened_at)
        suspended = self._carrier.faults.may_strike(FaultName.ACCOUNT_SUSPENDED)
        return JSONResponse(
            {
                "auth_token": self._carrier.settings.auth_token,
                "date_created": opened,
                "date_updated": opened,
                "friendly_name": "Simulated carrier",
                "owner_account_sid": self._account_sid,
                "sid": self._account_sid,
                "status": "suspended" if suspended else "active",
                "subresource_uris": {
                    "calls": f"{self._base}/Calls.json",
                    "incoming_phone_numbers": f"{self._base}/IncomingPhoneNumbers.json",
                    "messages": f"{self._base}/Messages.json",
                },
                "type": "Full",
                "uri": f"{self._base}.json",
            }
        )

    async def list_numbers(self, request: Request) -> Response:
        """List the numbers owned."""
        query = request.query_params
        wanted = [
            owned
            for owned in self._carrier.state.numbers.values()
            if query.get("PhoneNumber", "") in owned.number
            and query.get("FriendlyName", "") in {"", owned.friendly_name}
        ]
        return ListPage(request, "incoming_phone_numbers").json(iter(wanted), self._render)

    async def list_caller_ids(self, request: Request) -> Response:
        """List the verified caller IDs. Twilio's filter is exact here, unlike that of owned numbers."""
        query = request.query_params
        wanted = [
            verified
            for verified in self._carrier.state.verified.values()
            if query.get("PhoneNumber", "") in {"", verified.number}
            and query.get("FriendlyName", "") in {"", wire.formatted(verified.number)}
        ]
        return ListPage(request, "outgoing_caller_ids").json(iter(wanted), self._render_caller_id)

    async def fetch_number(self, request: Request) -> Response:
        """Show one owned number."""
        return JSONResponse(self._render(self._find(request)))

    async def update_number(self, request: Request) -> Response:
        """Change the number's name and webhook URLs."""
        owned = self._find(request)
        parameters = await read_form(request)
        for name in ("SmsUrl", "VoiceUrl"):
            if parameters.get(name) and not is_web_address(parameters[name]):
                raise RequestRefused(21205, parameters[name])
        owned.friendly_name = parameters.get("FriendlyName", owned.friendly_name)
        owned.sms_url = parameters.get("SmsUrl", owned.sms_url)
        owned.sms_method = parameters.get("SmsMethod", owned.sms_method)
        owned.voice_url = parameters.get("VoiceUrl", owned.voice_url)
        owned.voice_method = parameters.get("VoiceMethod", owned.voice_method)
        owned.updated_at = self._carrier.clock.now()
        return JSONResponse(self._render(owned))

    def _find(self, request: Request) -> AccountNumber:
        for owned in self._carrier.state.numbers.values():
            if owned.sid == request.path_params["sid"]:
                return owned
        raise RequestRefused(20404, request.url.path)

    def _render_caller_id(self, verified: VerifiedCallerId) -> Json:
        verified_at = wire.rfc2822(verified.created_at)
        return {
            "account_sid": self._account_sid,
            "date_created": verified_at,
            "date_updated": verified_at,
            "friendly_name": wire.formatted(verified.number),
            "phone_number": verified.number,
            "sid": verified.sid,
            "uri": f"{self._base}/OutgoingCallerIds/{verified.sid}.json",
        }

    def _render(self, owned: AccountNumber) -> Json:
        return {
            "account_sid": self._account_sid,
            "address_sid": None,
            "address_requirements": "none",
            "api_version": wire.API_VERSION,
            "beta": False,
            "bundle_sid": None,
            "capabilities": {"voice": True, "sms": owned.sms, "mms": owned.sms, "fax": False},
            "date_created": wire.rfc2822(owned.created_at),
            "date_updated": wire.rfc2822(owned.updated_at),
            "emergency_address_sid": None,
            "emergency_address_status": "unregistered",
            "emergency_status": "Inactive",
            "friendly_name": owned.friendly_name,
            "identity_sid": None,
            "origin": "twilio",
            "phone_number": owned.number,
            "sid": owned.sid,
            "sms_application_sid": "",
            "sms_fallback_method": "POST",
            "sms_fallback_url": "",
            "sms_method": owned.sms_method,
            "sms_url": owned.sms_url,
            "status": "in-use",
            "status_callback": "",
            "status_callback_method": "POST",
            "subresource_uris": {},
            "trunk_sid": None,
            "type": "local",
            "uri": f"{self._base}/IncomingPhoneNumbers/{owned.sid}.json",
            "voice_application_sid": "",
            "voice_caller_id_lookup": False,
            "voice_fallback_method": "POST",
            "voice_fallback_url": "",
            "voice_method": owned.voice_method,
            "voice_receive_mode": "voice",
            "voice_url": owned.voice_url,
        }

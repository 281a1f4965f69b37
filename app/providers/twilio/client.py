"""Places, looks up and ends calls and messages at Twilio, through the official SDK's async client."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final, TypeVar
from uuid import UUID

from aiohttp import ClientConnectorError, ClientError, ConnectionTimeoutError, InvalidURL
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest import Client

from app.domain.campaign import Channel
from app.domain.events import FailureClass
from app.providers.base import (
    BeforeSending,
    CallOrder,
    ConfiguredAccount,
    LookupFailed,
    MessageOrder,
    NotPlaced,
    NotSent,
    OwnedNumber,
    PlaceAnswer,
    Placed,
    Refused,
    RemoteAttempt,
    Unclear,
)
from app.providers.twilio.errors import UNCLEAR_CODES, refusal_class, remedy_of
from app.providers.twilio.http import CONNECTION_LIMIT, CarrierThrottled, TwilioConnections, before_sending
from app.providers.twilio.inbound import announce_to
from app.providers.twilio.remote import remote_call, remote_message
from app.providers.twilio.urls import CONNECTION_OVERRIDES, CallbackPurpose, attempt_in, callback_url
from app.providers.twilio.vocabulary import parse_count

logger = logging.getLogger(__name__)

STATUS_EVENTS: Final = ["initiated", "ringing", "answered", "completed"]
NUMBERS_LIMIT: Final = 1000
"""The most numbers that are listed. An account with more must add the others by hand."""
FIND_LIMIT: Final = 200
"""The most records that are read for one pair of numbers, the newest first. A pair has only a few."""
_PAGE: Final = 1000
"""The most that Twilio lists at once."""

_Answer = TypeVar("_Answer")
_NEVER_SENT = (ClientConnectorError, ConnectionTimeoutError, InvalidURL)
"""Errors before the first byte of the request was sent: refused, DNS, TLS, no free connection in time."""

_SERVER_ERROR: Final = HTTPStatus.INTERNAL_SERVER_ERROR
_UNCLEAR_STATUSES: Final = frozenset({HTTPStatus.SEE_OTHER, HTTPStatus.REQUEST_TIMEOUT})
"""Statuses below 500 that do not prove that nothing was dialed."""

_FIRST_CODE: Final = 10000
"""Twilio's own codes start here. A lower code is the HTTP status, which the SDK has filled in."""

_NOT_ACTIVE: Final = 20005

_NOT_ASKED: Final = (CarrierThrottled, ClientError, OSError, TwilioException, ValueError)
"""Errors of a question that the carrier has not refused, but could not answer."""

_NOTHING_TO_END: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT})


class TwilioCarrier:
    """One account at Twilio or a compatible carrier. Create one per process and keep it: it pools connections."""

    def __init__(self, account: ConfiguredAccount, *, connection_limit: int = CONNECTION_LIMIT) -> None:
        self.account = account
        self._connections = TwilioConnections(limit=connection_limit)
        self._client = Client(
            account.account_sid,
            account.auth_token.get_secret_value(),
            http_client=self._connections,
            # An empty mapping would make the SDK read TWILIO_EDGE from the environment.
            environment={"_": "1"},
        )
        self._client.api.base_url = account.api_url.rstrip("/")
        # The resource lists are created once, because the SDK imports and builds them again on some accesses.
        self._calls = self._client.api.v2010.account.calls
        self._messages = self._client.api.v2010.account.messages
        self._new_call = f"/Accounts/{account.account_sid}/Calls.json"

    async def place_call(self, order: CallOrder) -> PlaceAnswer:
        """Ask Twilio to dial. Never retries; see `_classified` for how failures are told apart."""

        async def create() -> Placed:
            status = callback_url(self.account, CallbackPurpose.STATUS, order.attempt_id)
            settings = {
                "To": order.to,
                "From": order.from_,
                "Url": callback_url(self.account, CallbackPurpose.VOICE, order.attempt_id)
                + CONNECTION_OVERRIDES,
                "StatusCallback": status + CONNECTION_OVERRIDES,
                "StatusCallbackEvent": STATUS_EVENTS,
                "Timeout": order.options.ring_seconds,
                "TimeLimit": order.options.longest_seconds,
            }
            if order.options.detect_machine:
                settings["MachineDetection"] = "Enable"
            # Not the SDK's `calls.create`: it looks through forty settings and parses four dates of each answer.
            answer = await self._client.api.v2010.create_async("POST", self._new_call, data=settings)
            return _placed(answer.get("sid"), answer.get("queue_time"))

        return await _classified(create, order.before_sending)

    async def place_message(self, order: MessageOrder) -> PlaceAnswer:
        """Ask Twilio to send a text. Never retries; see `_classified` for how failures are told apart."""

        async def create() -> Placed:
            callback = callback_url(self.account, CallbackPurpose.MESSAGE_STATUS, order.attempt_id)
            validity = {} if order.validity_seconds is None else {"validity_period": order.validity_seconds}
            message = await self._messages.create_async(
                to=order.to,
                from_=order.from_,
                body=order.body,
                status_callback=callback + CONNECTION_OVERRIDES,
                **validity,
            )
            return _placed(message.sid, None)

        return await _classified(create, order.before_sending)

    async def fetch(self, channel: Channel, provider_id: str) -> RemoteAttempt | None:
        """Return the current state; None if Twilio has no such call or message. Raises `LookupFailed`."""
        try:
            if channel is Channel.SMS:
                return remote_message(await _asked(self._messages(provider_id).fetch_async()))
            return remote_call(await _asked(self._calls(provider_id).fetch_async()))
        except _NotFound:
            return None

    async def find(self, channel: Channel, *, to: str, from_: str, since: datetime) -> list[RemoteAttempt]:
        """Return what was made through the API from and to these numbers since then, oldest first.

        Lists without a time filter: Twilio's looks at the start time, which a queued call does not have.
        Raises `LookupFailed`.
        """
        if channel is Channel.SMS:
            messages = await _asked(self._messages.list_async(to=to, from_=from_, limit=FIND_LIMIT))
            found = [remote_message(message) for message in messages]
        else:
            calls = await _asked(self._calls.list_async(to=to, from_=from_, limit=FIND_LIMIT))
            found = [remote_call(call) for call in calls]
        ours = [one for one in found if one.outbound_api and one.created_at >= since]
        return sorted(ours, key=lambda one: one.created_at)

    async def made(self, channel: Channel, *, since: datetime) -> list[RemoteAttempt]:
        """Return all that was made through the API since then, newest first, also by other programs.

        Twilio lists the newest first, so reading stops at the first older record. Raises `LookupFailed`.
        """
        return await _asked(self._made_since(channel, since))

    async def _made_since(self, channel: Channel, since: datetime) -> list[RemoteAttempt]:
        found = []
        if channel is Channel.SMS:
            messages = await self._messages.stream_async(page_size=_PAGE)
            remotes = (remote_message(message) async for message in messages)
        else:
            calls = await self._calls.stream_async(page_size=_PAGE)
            remotes = (remote_call(call) async for call in calls)
        async for remote in remotes:
            if remote.created_at < since:
                break
            found.append(remote)
        return [remote for remote in found if remote.outbound_api]

    async def attempt_of(self, channel: Channel, provider_id: str) -> UUID | None:
        """Return the attempt named in the request that created the call (its Events); None for messages.

        Raises `LookupFailed`.
        """
        if channel is Channel.SMS:
            return None
        try:
            events = await _asked(self._calls(provider_id).events.list_async(limit=50))
        except _NotFound:
            return None
        secret = self.account.callback_secret.get_secret_value()
        return next((found for event in events if (found := attempt_in(str(event.request), secret))), None)

    async def cancel(self, channel: Channel, provider_id: str) -> bool:
        """Take back a queued or ringing call, or a scheduled message; False: too late.

        Raises `LookupFailed`.
        """
        if channel is Channel.SMS:
            return await _ended(self._messages(provider_id).update_async(status="canceled"))
        return await _ended(self._calls(provider_id).update_async(status="canceled"))

    async def hang_up(self, provider_id: str) -> bool:
        """End a call, also one in progress; False: it was over. Raises `LookupFailed`."""
        return await _ended(self._calls(provider_id).update_async(status="completed"))

    async def owned_numbers(self) -> list[OwnedNumber]:
        """Return the account's numbers that call or text, at most `NUMBERS_LIMIT`. Raises `LookupFailed`."""
        listed = await self._list_numbers()
        owned = [_owned(one.phone_number, one.friendly_name, one.capabilities) for one in listed]
        return [one for one in owned if one.voice or one.sms]

    async def find_numbers(self, numbers: Collection[str]) -> dict[str, OwnedNumber]:
        """Return those of these numbers that the account owns, or has verified as caller IDs, by number.

        For one number only that number is requested; for several the whole lists are read. A verified caller ID can
        only call, not text. Raises `LookupFailed`.
        """
        only = {"phone_number": next(iter(numbers))} if len(numbers) == 1 else {}
        account = self._client.api.v2010.account
        listed = await _listed(account.incoming_phone_numbers.stream_async(page_size=_PAGE, **only))
        owned = (_owned(one.phone_number, one.friendly_name, one.capabilities) for one in listed)
        found = {one.number: one for one in owned if one.number in numbers}
        if len(found) < len(set(numbers)):
            verified = await _listed(account.outgoing_caller_ids.stream_async(page_size=_PAGE, **only))
            calls_only = (_owned(one.phone_number, one.friendly_name, {"voice": True}) for one in verified)
            found = {one.number: one for one in calls_only if one.number in numbers} | found
        return found

    async def refuses(self) -> str | None:
        """Return why the account may not place calls, and what to correct, as sentences; None if it may.

        Raises `LookupFailed`.
        """
        try:
            account = await self._client.api.v2010.accounts(self.account.account_sid).fetch_async()
        except (TwilioRestException, TwilioServiceException) as error:
            answer = _answer_to_refusal(error)
            if isinstance(answer, Refused) and answer.remedy is not None:
                return f"The carrier refuses our account: {answer.message}. {answer.remedy}"
            raise LookupFailed(f"the carrier answered {error.status}: {_text(error)}") from error
        except _NOT_ASKED as error:
            raise LookupFailed(f"the carrier could not be asked: {error or type(error).__name__}") from error
        if account.status in {None, "active"}:
            return None
        return f"The carrier says that our account is {account.status}. {remedy_of(_NOT_ACTIVE)}"

    async def time(self) -> datetime | None:
        """Return Twilio's time, by the `Date` header of its answer; None if it cannot be asked or does not say."""
        self._connections.date = ""
        try:
            await self._client.api.v2010.accounts(self.account.account_sid).fetch_async()
        except (TwilioException, *_NOT_ASKED):
            pass  # A refusal has the header too.
        try:
            return parsedate_to_datetime(self._connections.date).astimezone(UTC)
        except ValueError:
            return None

    async def announce_texts(self, numbers: Collection[str]) -> dict[str, str]:
        """Have Twilio announce texts to these numbers to us. Return for each number of the account why it does not.

        The reason is empty if all is well. Raises `LookupFailed` if the account cannot be asked.
        """
        ours = [one for one in await self._list_numbers() if one.phone_number in numbers]
        outcome = {}
        for one in ours:
            try:
                why_not = await _asked(announce_to(one, public_url=self.account.public_url))
            except (_NotFound, LookupFailed) as error:
                why_not = f"The carrier could not be told where to announce its texts: {error}"
            outcome[one.phone_number] = why_not
        return outcome

    async def _list_numbers(self) -> list[Any]:
        numbers = self._client.api.v2010.account.incoming_phone_numbers
        return await _listed(numbers.stream_async(limit=NUMBERS_LIMIT))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connections.close()


class _UnreadableAnswer(Exception):
    """The carrier accepted the request but returned no id."""


class _NotFound(Exception):
    """The carrier has no such record."""


def _owned(number: str | None, label: str | None, capabilities: Mapping[str, bool] | None) -> OwnedNumber:
    can, label, number = capabilities or {}, label or "", number or ""
    # By itself, Twilio labels a number `(201) 555-0123`.
    digits = "".join(char for char in label if char.isdecimal())
    is_default = bool(digits) and number.endswith(digits) and not any(char.isalpha() for char in label)
    return OwnedNumber(
        number=number,
        label="" if is_default else label,
        voice=bool(can.get("voice")),
        sms=bool(can.get("sms") or can.get("SMS")),
    )


def _placed(provider_id: str | None, queue_time: str | None) -> Placed:
    if not provider_id:
        raise _UnreadableAnswer
    return Placed(provider_id=provider_id, queue_ms=parse_count(queue_time) or 0)


async def _classified(create: Callable[[], Awaitable[Placed]], ask: BeforeSending | None) -> PlaceAnswer:
    """Place one call or message, and classify a failure by what it proves.

    Not placed: held back by `ask`, 429, or not connected. Refused: an answer below 500. Everything else is unclear:
    it may have been dialed.
    """
    asking = before_sending.set(ask)
    try:
        return await create()
    except (NotSent, CarrierThrottled) as error:
        wait = error.retry_after_seconds if isinstance(error, CarrierThrottled) else None
        return NotPlaced(reason=str(error), retry_after_seconds=wait)
    except _NEVER_SENT as error:
        return NotPlaced(reason=f"could not connect to the carrier: {error}", retry_after_seconds=None)
    except (TwilioRestException, TwilioServiceException) as error:
        return _answer_to_refusal(error)
    except TimeoutError:
        return Unclear(reason="the carrier did not answer in time")
    except Exception as error:
        # Any other error may have come after the request left, so the call may have been dialed.
        is_expected = isinstance(error, (ClientError, OSError, TwilioException, _UnreadableAnswer))
        logger.warning("place.unclear", extra={"error": type(error).__name__}, exc_info=not is_expected)
        return Unclear(reason=f"the carrier's answer was lost: {type(error).__name__}")
    finally:
        before_sending.reset(asking)


def _answer_to_refusal(error: TwilioRestException | TwilioServiceException) -> PlaceAnswer:
    code = error.code if isinstance(error.code, int) and error.code >= _FIRST_CODE else None
    message = _text(error)
    if error.status in _UNCLEAR_STATUSES or error.status >= _SERVER_ERROR or code in UNCLEAR_CODES:
        return Unclear(reason=f"the carrier answered {error.status}: {message}")
    failure = refusal_class(error.status, code)
    if failure is FailureClass.THROTTLED:
        return NotPlaced(reason=message, retry_after_seconds=None)
    remedy = remedy_of(code, status=error.status)
    return Refused(failure=failure, code=code, message=message, remedy=remedy)


def _text(error: TwilioRestException | TwilioServiceException) -> str:
    if isinstance(error, TwilioServiceException):
        return str(error.detail or error.title)
    return str(error.msg).removeprefix("Unable to create record: ")


async def _asked(question: Awaitable[_Answer]) -> _Answer:
    """Return the answer to a question. Raises `_NotFound` and `LookupFailed`."""
    try:
        return await question
    except (TwilioRestException, TwilioServiceException) as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise _NotFound from error
        raise LookupFailed(f"the carrier answered {error.status}: {_text(error)}") from error
    except _NOT_ASKED as error:
        raise LookupFailed(f"the carrier could not be asked: {error or type(error).__name__}") from error


async def _listed(stream: Awaitable[AsyncIterator[Any]]) -> list[Any]:
    """Return a whole list of the account, read page by page. Raises `LookupFailed`."""

    async def read() -> list[Any]:
        return [record async for record in await stream]

    try:
        return await _asked(read())
    except _NotFound as error:
        raise LookupFailed("the carrier knows no such account") from error


async def _ended(request: Awaitable[object]) -> bool:
    """Return whether the carrier agreed, or there was nothing left to end. Raises `LookupFailed`."""
    try:
        await request
    except (TwilioRestException, TwilioServiceException) as error:
        if error.status in _NOTHING_TO_END:
            return False
        raise LookupFailed(f"the carrier answered {error.status}: {_text(error)}") from error
    except _NOT_ASKED as error:
        raise LookupFailed(f"the carrier could not be asked: {error or type(error).__name__}") from error
    return True

"""What the engine asks of a carrier, in our own words. Only a provider's folder knows its API."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable
from uuid import UUID

from pydantic import SecretStr

from app.domain.call_options import CallOptions
from app.domain.campaign import Channel
from app.domain.events import AttemptEvent, FailureClass
from app.providers.script import CallScript, SpokenLine
from app.runtime.config import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What opens an account at a carrier, as the settings say it."""

    account_sid: str
    auth_token: SecretStr
    api_url: str
    """Base URL of the carrier's REST API, without a trailing slash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredAccount:
    """One account at a carrier, and how its webhooks find us."""

    kind: str
    """The kind of carrier, as the registry names it."""
    account_sid: str
    auth_token: SecretStr
    api_url: str
    """Base URL of the carrier's REST API, without a trailing slash."""
    public_url: str
    """The URL the carrier reaches us by, without a trailing slash: part of what it signs."""
    callback_secret: SecretStr
    """Key of the tokens in callback paths; never leaves us."""
    simulated: bool
    secondary_auth_token: SecretStr | None = None
    """Also accepted on webhooks, while the auth token is being rotated."""


BeforeSending = Callable[[], Awaitable[None]]
"""Asked when all is ready and no byte has left yet. Raises `NotSent` to keep the request from leaving."""


class NotSent(Exception):
    """The request was held back in time: known not placed. The text is the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOrder:
    """A call to place for an attempt that is already committed."""

    attempt_id: UUID
    to: str
    from_: str
    options: CallOptions
    before_sending: BeforeSending | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageOrder:
    """A text message to send for an attempt that is already committed."""

    attempt_id: UUID
    to: str
    from_: str
    body: str
    validity_seconds: int | None
    """The carrier drops the message if it could not be sent within this; None: its own default."""
    before_sending: BeforeSending | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The carrier has it."""

    provider_id: str
    queue_ms: int
    """How long the carrier says it will hold it before it dials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The carrier said no, with a reason: known not dialed."""

    failure: FailureClass
    code: int | None
    message: str
    remedy: str | None = None
    """What a person has to mend before another request can go well, as a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPlaced:
    """It never reached the carrier, or was turned away unread (429): spends no attempt, try again later."""

    reason: str
    retry_after_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """It may or may not have been placed: record `unknown` and let the reconciler ask."""

    reason: str


PlaceAnswer = Placed | Refused | NotPlaced | Unclear


class Placer(Protocol):
    """Places calls and messages. Never retries, never raises for anything a carrier or network does."""

    async def place_call(self, order: CallOrder) -> PlaceAnswer:
        """Ask the carrier to dial; answers within 10 seconds."""
        ...

    async def place_message(self, order: MessageOrder) -> PlaceAnswer:
        """Ask the carrier to send a text; answers within 10 seconds."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAttempt:
    """A call or message as the carrier knows it now. It may belong to someone else on the same account."""

    provider_id: str
    to: str
    from_: str | None
    """None while the carrier has not picked a sender."""
    created_at: datetime
    outbound_api: bool
    """Whether it was made through the API; a call somebody dialed by hand is none of ours."""
    body: str | None
    """A message's text; None for calls."""
    events: tuple[AttemptEvent, ...]
    """Its state, as the events that lead there."""


class LookupFailed(Exception):
    """The carrier could not be asked, or its answer not read: nothing is known, ask again later."""


class Lookup(Protocol):
    """Asks the carrier what really happened. Every method raises `LookupFailed` if it could not be asked."""

    async def fetch(self, channel: Channel, provider_id: str) -> RemoteAttempt | None:
        """Return the current state; None if the carrier has no such call or message."""
        ...

    async def find(self, channel: Channel, *, to: str, from_: str, since: datetime) -> list[RemoteAttempt]:
        """Return what was made through the API from and to these numbers since then, oldest first."""
        ...

    async def attempt_of(self, channel: Channel, provider_id: str) -> UUID | None:
        """Return the attempt a call was placed for, proven by its callback token; None if it can't tell."""
        ...


class Hangup(Protocol):
    """Ends what the carrier is doing. Every method raises `LookupFailed` if it could not be asked."""

    async def cancel(self, channel: Channel, provider_id: str) -> bool:
        """Take back a call that is still queued or ringing, or a message not yet sent; False: too late."""
        ...

    async def hang_up(self, provider_id: str) -> bool:
        """End a call, also one in progress; False: it was over."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedNumber:
    """A number that the carrier account may use, and what it is good for there."""

    number: str
    """E.164."""
    label: str
    """What it is called at the carrier."""
    voice: bool
    sms: bool


@runtime_checkable
class NumberDirectory(Protocol):
    """Tells which numbers the account may use: optional, for carriers that can tell."""

    async def owned_numbers(self) -> list[OwnedNumber]:
        """Return the numbers that are the account's own. Raises `LookupFailed`."""
        ...

    async def find_numbers(self, numbers: Collection[str]) -> Mapping[str, OwnedNumber]:
        """Return those of these numbers (E.164) that the account may call or text from, by number.

        Its own, and those that it has verified as caller IDs. Raises `LookupFailed`.
        """
        ...


@runtime_checkable
class AccountCheck(Protocol):
    """Tells whether the account may call and text at all: optional, for carriers that can tell."""

    async def refuses(self) -> str | None:
        """Return why the account may place nothing, and what to mend, as sentences; None if it may.

        Raises `LookupFailed`.
        """
        ...


@runtime_checkable
class InboundTexts(Protocol):
    """Has texts to the account's own numbers announced to us: optional, for carriers that can be told."""

    async def announce_texts(self, numbers: Collection[str]) -> Mapping[str, str]:
        """Have texts to these numbers announced to us; what is so already is left alone.

        Returns for each number that the account owns why its texts do not reach us, or nothing (an empty
        text). Raises `LookupFailed`.
        """
        ...


@runtime_checkable
class Ledger(Protocol):
    """Lists all that the account made: optional, for carriers that can tell."""

    async def made(self, channel: Channel, *, since: datetime) -> list[RemoteAttempt]:
        """Return what was made through the API since then, newest first, whoever asked for it.

        Raises `LookupFailed`.
        """
        ...


class Carrier(Placer, Lookup, Hangup, Protocol):
    """All that the engine does with a carrier."""

    async def aclose(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A request of a carrier as it came in, before anything is believed."""

    method: str
    raw_path: str
    """Percent-encoded as received, starting with a slash."""
    raw_query: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEvent:
    """An event and what makes it the same event when the carrier repeats it."""

    dedupe_key: str
    event: AttemptEvent


class Keyword(StrEnum):
    """What an inbound text asks for."""

    STOP = "STOP"
    START = "START"
    HELP = "HELP"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """A text a person sent to one of our numbers."""

    provider_id: str
    from_: str
    to: str
    body: str
    keyword: Keyword | None
    carrier_has_replied: bool
    """The carrier has answered it by itself: a second reply would be one too many."""
    received_at: datetime


class WebhookRejected(Exception):
    """The webhook is not from our carrier account, or not for this attempt: answer 403 and store nothing."""


class CallbackPath(NamedTuple):
    """What the path of a callback is about."""

    purpose: str
    """What the carrier tells or asks there: the provider's own word."""
    attempt_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptWebhook:
    """An authentic webhook about one attempt."""

    purpose: str
    attempt_id: UUID
    fields: Mapping[str, str]
    raw_query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReply:
    """What the carrier is answered: a document, or nothing but that it is received."""

    document: str = ""
    """Empty: answer 204."""
    media_type: str | None = None
    lines: tuple[SpokenLine, ...] = ()
    """What was just said and what is said next, for the transcript."""


class CarrierIntake(Protocol):
    """Believes or rejects the webhooks of one account, translates them, and says what to answer.

    It asks neither the database nor the network: `app/api/webhooks.py` keeps the bytes, status codes and rows. The
    methods are called in this order.
    """

    @property
    def max_body_bytes(self) -> int:
        """A longer body is answered 413 unread: no webhook of this carrier is so long."""
        ...

    def read_path(self, path: str) -> CallbackPath | None:
        """Return what a path below the provider's prefix is about, proven by its token.

        None: it is where the carrier announces texts to the account's numbers, which has no token. Raises
        `WebhookRejected` for any other path.
        """
        ...

    def verify(self, request: WebhookRequest) -> Mapping[str, str]:
        """Return the fields of an authentic request of this account. Raises `WebhookRejected`."""
        ...

    def parse_text(self, fields: Mapping[str, str], *, received_at: datetime) -> InboundMessage:
        """Return the text that a person sent to one of the account's numbers."""
        ...

    def parse(self, webhook: AttemptWebhook, *, received_at: datetime) -> Sequence[ReceivedEvent]:
        """Return the events that it tells of; words we do not know become `EventKind.UNKNOWN`."""
        ...

    def reply(self, webhook: AttemptWebhook, *, is_second_call: bool) -> WebhookReply | None:
        """Return the answer; None: a person listens, and `converse` has what to say.

        `is_second_call`: it is not the attempt's own call, so no more of it is wanted.
        """
        ...

    def converse(self, webhook: AttemptWebhook, script: CallScript) -> WebhookReply:
        """Return what the call says next. The same request gets the same answer."""
        ...


class CarrierNotConfigured(Exception):
    """The settings name no carrier account, or no secret to sign callbacks with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """A kind of carrier: all that the rest of Callsheet knows of it."""

    kind: str
    """Its name in `CALLSHEET_CARRIER` and in the `carrier_account` table: lower case."""
    title: Callable[[Settings], str]
    """What people call it."""
    credentials: Callable[[Settings], Credentials]
    """Reads the account from the settings. Raises `CarrierNotConfigured`."""
    make: Callable[[ConfiguredAccount], Carrier]
    intake: Callable[[ConfiguredAccount], CarrierIntake]
    prefix: str
    """The path that all its webhooks come below, without a trailing slash: no other provider's."""
    texts_path: str
    """Where it announces texts to the account's numbers; empty: it announces none."""
    calls_per_second: int
    """What it lets a new account place; the operator changes it in the account's row."""

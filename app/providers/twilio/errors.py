"""What Twilio's error and SIP codes mean for us.

Texts of the codes: https://www.twilio.com/docs/api/errors. For a code in no table the HTTP status decides.
`domain.outcomes.DECISIONS` says what follows from each class.
"""

from collections.abc import Mapping
from typing import Final

from app.domain.events import EventKind, FailureClass

_F = FailureClass

FAILURE_BY_CODE: Final[Mapping[int, FailureClass]] = {
    # This number cannot be reached.
    13223: _F.BAD_NUMBER,  # invalid phone number format
    13224: _F.BAD_NUMBER,  # number not supported or invalid
    21201: _F.BAD_NUMBER,  # no number to call
    21211: _F.BAD_NUMBER,  # invalid `To`
    21214: _F.BAD_NUMBER,  # cannot be reached
    21217: _F.BAD_NUMBER,  # does not appear to be valid
    21266: _F.BAD_NUMBER,  # `To` and `From` are the same
    21401: _F.BAD_NUMBER,  # invalid phone number
    21421: _F.BAD_NUMBER,  # invalid phone number
    21612: _F.BAD_NUMBER,  # not reachable by SMS from this sender
    21614: _F.BAD_NUMBER,  # not a mobile number
    30005: _F.BAD_NUMBER,  # unknown destination handset
    30006: _F.BAD_NUMBER,  # landline, or unreachable carrier
    # The person has opted out, or the carrier blocks the number for another reason of that kind.
    13225: _F.OPTED_OUT,  # Twilio's blocklist
    21216: _F.OPTED_OUT,  # Twilio's blocklist
    21610: _F.OPTED_OUT,  # unsubscribed
    30004: _F.OPTED_OUT,  # blocked
    30640: _F.OPTED_OUT,  # known litigator
    # Our account, credentials, sender or URLs.
    13227: _F.MISCONFIGURED,  # no permission to call this country
    20003: _F.MISCONFIGURED,  # authentication
    20005: _F.MISCONFIGURED,  # account not active
    20006: _F.MISCONFIGURED,  # access denied
    20008: _F.MISCONFIGURED,  # test credentials
    20404: _F.MISCONFIGURED,  # no such account or resource
    21205: _F.MISCONFIGURED,  # bad Url
    21210: _F.MISCONFIGURED,  # `From` not verified
    21212: _F.MISCONFIGURED,  # invalid `From`
    21213: _F.MISCONFIGURED,  # no `From`
    21215: _F.MISCONFIGURED,  # no permission to call this country
    21219: _F.MISCONFIGURED,  # trial account, number not verified
    21262: _F.MISCONFIGURED,  # no callback for detection
    21408: _F.MISCONFIGURED,  # no permission to text this country
    21601: _F.MISCONFIGURED,  # sender is not able to text
    21603: _F.MISCONFIGURED,  # no sender
    21604: _F.MISCONFIGURED,  # no recipient
    21606: _F.MISCONFIGURED,  # sender is not ours, or cannot text
    21608: _F.MISCONFIGURED,  # trial account, number not verified
    21609: _F.MISCONFIGURED,  # bad StatusCallback
    21703: _F.MISCONFIGURED,  # messaging service without senders
    21704: _F.MISCONFIGURED,  # messaging service without senders
    21705: _F.MISCONFIGURED,  # no such messaging service
    30002: _F.MISCONFIGURED,  # account suspended
    30024: _F.MISCONFIGURED,  # sender not provisioned at the carrier
    30032: _F.MISCONFIGURED,  # toll-free number not verified
    30034: _F.MISCONFIGURED,  # A2P 10DLC not registered
    30035: _F.MISCONFIGURED,  # A2P 10DLC still being configured
    30037: _F.MISCONFIGURED,  # outbound messaging disabled
    # The text was refused, or the conversation failed after the call was connected.
    21617: _F.CONTENT,  # over 1,600 characters
    21618: _F.CONTENT,  # content refused
    30007: _F.CONTENT,  # filtered
    64104: _F.CONTENT,  # the conversation lasted too long
    64105: _F.CONTENT,  # too many messages of ours could not be read
    64107: _F.CONTENT,  # a message of ours could not be read
    # It may succeed later.
    11200: _F.TRANSIENT,  # our script could not be fetched
    11205: _F.TRANSIENT,  # no connection to our script
    14107: _F.TRANSIENT,  # too many texts between two numbers
    20503: _F.TRANSIENT,  # service unavailable, not processed
    21611: _F.TRANSIENT,  # the sender's queue is full
    22005: _F.TRANSIENT,  # the call queue is full
    30001: _F.TRANSIENT,  # queue overflow
    30003: _F.TRANSIENT,  # handset off or out of reach
    30008: _F.TRANSIENT,  # unknown, as Twilio itself says
    30017: _F.TRANSIENT,  # carrier's network is congested
    30022: _F.TRANSIENT,  # A2P rate exceeded
    64101: _F.TRANSIENT,  # a provider of speech failed
    # Not again today.
    30023: _F.TOMORROW,  # A2P daily cap
    30027: _F.TOMORROW,  # carrier's daily cap
    30036: _F.TOMORROW,  # validity expired
    30610: _F.TOMORROW,  # quiet hours
    # Never processed.
    20429: _F.THROTTLED,  # too many requests
    # Our number is distrusted.
    30450: _F.SENDER_HEALTH,  # delivery blocked, sender's reputation
    32017: _F.SENDER_HEALTH,  # a network blocked the call because of its caller ID
}
"""What each Twilio error code means for us."""

_ACCOUNT: Final = (
    "Check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, and that the account is active in the carrier's console."
)
_INACTIVE: Final = "Activate the account in the carrier's console: it is suspended, closed or unpaid."
_ADDRESS: Final = "Check TWILIO_ACCOUNT_SID and TWILIO_API_URL: the carrier knows no such account or address."
_CALLBACK: Final = "Set CALLSHEET_PUBLIC_URL to an address at which the carrier reaches this installation."
_COUNTRY: Final = (
    "Allow this country under geographic permissions in the carrier's console, or take its contacts out."
)
_TRIAL: Final = "Upgrade the trial account in the carrier's console, or verify the contact's number there."
_SENDER: Final = "Choose another number for the campaign, or set this one up in the carrier's console."

_REMEDY_BY_CODE: Final[Mapping[int, str]] = {
    **dict.fromkeys((20003, 20006), _ACCOUNT),
    20008: "Use the account's live credentials in TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN: these are for tests.",
    **dict.fromkeys((20005, 30002, 30037), _INACTIVE),
    20404: _ADDRESS,
    **dict.fromkeys((21205, 21262, 21609), _CALLBACK),
    **dict.fromkeys((13227, 21215, 21408), _COUNTRY),
    **dict.fromkeys((21219, 21608), _TRIAL),
}

_REMEDY_BY_STATUS: Final[Mapping[int, str]] = {
    **dict.fromkeys((301, 302, 307, 308, 404, 405), _ADDRESS),
    **dict.fromkeys((401, 403), _ACCOUNT),
}

UNCLEAR_CODES: Final = frozenset({20500})
"""Internal errors, after which the call may have been dialed. The reconciler asks the carrier."""

FAILURE_BY_STATUS: Final[Mapping[int, FailureClass]] = {
    301: _F.MISCONFIGURED,
    302: _F.MISCONFIGURED,
    307: _F.MISCONFIGURED,
    308: _F.MISCONFIGURED,
    401: _F.MISCONFIGURED,
    403: _F.MISCONFIGURED,
    404: _F.MISCONFIGURED,
    405: _F.MISCONFIGURED,
}
"""Statuses of a refusal without a known code that mean: our account or API URL is wrong."""

SIP_OUTCOMES: Final[Mapping[int, tuple[EventKind, FailureClass | None]]] = {
    404: (EventKind.FAILED, _F.BAD_NUMBER),
    484: (EventKind.FAILED, _F.BAD_NUMBER),
    604: (EventKind.FAILED, _F.BAD_NUMBER),
    408: (EventKind.NO_ANSWER, None),
    480: (EventKind.NO_ANSWER, None),
    487: (EventKind.NO_ANSWER, None),
    486: (EventKind.BUSY, None),
    600: (EventKind.BUSY, None),
    603: (EventKind.FAILED, _F.REJECTED),
    607: (EventKind.FAILED, _F.SENDER_HEALTH),
    608: (EventKind.FAILED, _F.SENDER_HEALTH),
}
"""SIP response of an unanswered call -> its outcome, which is more precise than Twilio's status."""


_SIP_SERVER_ERRORS: Final = range(500, 600)


def failure_of(code: int | None) -> FailureClass | None:
    """Return the meaning of an error code; None if it is unknown or there is none."""
    return None if code is None else FAILURE_BY_CODE.get(code)


def refusal_class(status: int, code: int | None) -> FailureClass:
    """Return the meaning of a 3xx or 4xx answer. An unknown one fails only this recipient, for good."""
    return failure_of(code) or FAILURE_BY_STATUS.get(status, FailureClass.UNRECOGNIZED)


def remedy_of(code: int | None, *, status: int | None = None) -> str | None:
    """Return what a person must correct after this refusal, as a sentence; None if there is nothing to correct.

    `status`: the HTTP status of a refused request; None for an error that is reported later.
    """
    if refusal_class(status or 0, code) is not FailureClass.MISCONFIGURED:
        return None
    return _REMEDY_BY_CODE.get(code or 0) or _REMEDY_BY_STATUS.get(status or 0, _SENDER)


def sip_outcome(sip_code: int | None) -> tuple[EventKind, FailureClass | None] | None:
    """Return the outcome that the SIP code of an unanswered call means; None if it only means "failed"."""
    if sip_code is None:
        return None
    if sip_code in _SIP_SERVER_ERRORS:
        return EventKind.FAILED, FailureClass.TRANSIENT
    return SIP_OUTCOMES.get(sip_code)

"""Twilio's error and SIP codes, as the decisions they mean for us.

Texts of the codes: https://www.twilio.com/docs/api/errors. A code in no table is judged by its HTTP status.
"""

from collections.abc import Mapping
from typing import Final

from app.domain.events import EventKind, FailureClass

_F = FailureClass

CODES_BY_CLASS: Final[Mapping[FailureClass, tuple[int, ...]]] = {
    _F.BAD_NUMBER: (21211, 21214, 21217, 21401, 21421, 21612, 21614, 13223, 13224, 30005, 30006),
    _F.OPTED_OUT: (21610, 30004, 21216, 13225, 30640),
    _F.MISCONFIGURED: (
        *(
            20003,
            20005,
            20006,
            20008,
            20404,
            21205,
            21210,
            21212,
            21215,
            13227,
            21408,
            21219,
            21608,
            21601,
            21603,
        ),
        *(21606, 21604, 21609, 21703, 21704, 21705, 21262, 30002, 30024, 30032, 30034, 30035, 30037),
    ),
    _F.CONTENT: (21617, 21618, 30007),
    _F.TRANSIENT: (
        *(20503, 11200, 11205, 21611, 30001, 30003, 30008, 30017, 30022, 14107, 22005),
        # Daily caps, expired validity, the carrier's quiet hours: later is the answer, as for the others.
        *(30023, 30027, 30036, 30610),
    ),
    _F.THROTTLED: (20429,),
    _F.SENDER_HEALTH: (32017, 30450),
}
"""Twilio's error codes that have one decision."""

FAILURE_BY_CODE: Final[Mapping[int, FailureClass]] = {
    code: failure for failure, codes in CODES_BY_CLASS.items() for code in codes
}
"""What each Twilio error code means for us."""

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
"""What a refusal without a known code means: our account or API URL is wrong. Others concern one request."""

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
"""What the SIP response of a call that was not answered says, more precisely than Twilio's word for it."""


_SIP_SERVER_ERRORS: Final = range(500, 600)


def failure_of(code: int | None) -> FailureClass | None:
    """Return the meaning of an error code; None if it is unknown or there is none."""
    return None if code is None else FAILURE_BY_CODE.get(code)


def refusal_class(status: int, code: int | None) -> FailureClass:
    """Return what a 3xx or 4xx answer means; an unknown one fails this recipient for good and no other."""
    return failure_of(code) or FAILURE_BY_STATUS.get(status, FailureClass.CONTENT)


def sip_outcome(sip_code: int | None) -> tuple[EventKind, FailureClass | None] | None:
    """Return what the SIP code of an unanswered call says; None if it says nothing more than "failed"."""
    if sip_code is None:
        return None
    if sip_code in _SIP_SERVER_ERRORS:
        return EventKind.FAILED, FailureClass.TRANSIENT
    return SIP_OUTCOMES.get(sip_code)

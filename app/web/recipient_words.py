"""Statuses, replies and reasons of a campaign's contacts in words."""

from collections.abc import Mapping
from typing import Final

from app.domain.attempt import Disposition
from app.domain.gate import Rule
from app.domain.recipient import RecipientStatus
from app.domain.waiting import SkipReason, WaitReason
from app.providers.script import Reply

STATUS_WORDS: Final[Mapping[RecipientStatus, str]] = {
    RecipientStatus.PENDING: "Pending",
    RecipientStatus.IN_PROGRESS: "In progress",
    RecipientStatus.COMPLETED: "Completed",
    RecipientStatus.VOICEMAIL: "Voicemail",
    RecipientStatus.NO_ANSWER: "No answer",
    RecipientStatus.BUSY: "Busy",
    RecipientStatus.FAILED: "Failed",
    RecipientStatus.SKIPPED: "Skipped",
    RecipientStatus.CANCELLED: "Cancelled",
}
"""Every recipient status, in the order in which pages show them."""

REPLY_WORDS: Final[Mapping[str, str]] = {
    Reply.CONFIRM: "Confirmed",
    Reply.DECLINE: "Declined",
    Reply.OPT_OUT: "Asked not to be called again",
    Reply.UNCLEAR: "Said something unclear",
    Reply.NOTHING: "Said nothing",
}
"""The meaning of a person's answer, in words."""

WAITING_WORDS: Final[Mapping[str, str]] = {
    WaitReason.DUE: "Due now",
    WaitReason.CALLING_HOURS: "Waiting for calling hours",
    WaitReason.RETRY: "Retry later",
    WaitReason.HOLD: "Held",
    WaitReason.NUMBER_IN_USE: "Number in use",
    WaitReason.FREQUENCY: "Contacted often enough",
}
"""What a contact waits for, in words."""

SKIPPED_WORDS: Final[Mapping[str, str]] = {
    SkipReason.SUPPRESSION: "Skipped: must not be contacted",
    SkipReason.CONSENT: "Skipped: no consent",
    SkipReason.TEMPLATE: "Skipped: text not filled in",
    SkipReason.BY_HAND: "Skipped by hand",
    SkipReason.CARRIER: "Skipped: blocked by the carrier",
}
"""Why a contact was skipped, in words."""

RULE_WORDS: Final[Mapping[str, str]] = {
    Rule.STOP_SWITCH: "All dialing is stopped",
    Rule.CAMPAIGN_STATE: "State of the campaign",
    Rule.ATTEMPTS: "Attempts",
    Rule.BUDGET: "Budget",
    Rule.PILOT: "Pilot",
    Rule.RAMP: "Ramp",
    Rule.CALLER_ID: "Our numbers",
    Rule.PACING: "Pace",
    Rule.SUPPRESSION: "Must not be contacted",
    Rule.CONSENT: "Consent",
    Rule.TEMPLATE: "Text",
    WaitReason.DUE: "Their turn",
    WaitReason.CALLING_HOURS: "Calling hours",
    WaitReason.RETRY: "Time of the next attempt",
    WaitReason.HOLD: "Hold",
    WaitReason.NUMBER_IN_USE: "Number in use",
    WaitReason.FREQUENCY: "Frequency cap",
    SkipReason.BY_HAND: "By hand",
    SkipReason.CARRIER: "Carrier",
}
"""The rule that decides about a contact, in a word or two."""

_REASON_WORDS: Final[Mapping[str, str]] = {
    Disposition.ANSWERED: "The call was answered",
    Disposition.VOICEMAIL: "An answering machine answered",
    Disposition.NO_ANSWER: "Nobody answered",
    Disposition.BUSY: "The line was busy",
    Disposition.REJECTED: "The call was turned away",
    Disposition.INVALID_NUMBER: "The number cannot be reached",
    Disposition.CARRIER_ERROR: "The carrier failed",
    Disposition.DELIVERED: "The message was delivered",
    Disposition.UNDELIVERED: "The message was not delivered",
    Disposition.OPTED_OUT: "Asked not to be called again",
    Disposition.CANCELLED: "The attempt was cancelled",
    Rule.SUPPRESSION: "This number must not be contacted",
    Rule.CONSENT: "This person said no to being contacted",
    Rule.TEMPLATE: "The text could not be filled in",
    "reserved": "An attempt was begun",
    "sent": "The message was sent",
    "misconfigured": "The carrier refused our account or number",
}


def reason_words(reason: str) -> str:
    """Return why a status changed, as a sentence without its full stop."""
    return _REASON_WORDS.get(reason, reason[:1].upper() + reason[1:])

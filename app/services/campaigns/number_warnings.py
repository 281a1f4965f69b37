"""Warns about a campaign's numbers: which would not be used and why, and whether there are enough."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.calling_hours import is_zone
from app.domain.campaign import Channel
from app.domain.number_health import NumberRest
from app.domain.phone import pretty
from app.models import Campaign, PhoneNumber
from app.services.numbers.ownership import Known

CONTACTS_PER_NUMBER: Final = 20
"""Seed 003: "use at least 1 number per 20 contacts"."""

_RESTS: Final = {
    NumberRest.FLAGGED: "it was flagged as spam",
    NumberRest.LOW_ANSWER_RATE: "it is answered too seldom",
    NumberRest.MANUAL: "somebody set it aside",
}


_LOST: Final = "was flagged as spam again and rests until somebody puts it back to work"


def why_unusable(number: PhoneNumber, channel: Channel, carrier_account_id: int | None) -> str | None:
    """Return why a number cannot be the campaign's caller ID, by our own data; None if it can."""
    problem = _unfit(number, channel, carrier_account_id)
    if problem is None:
        return None
    if problem == _LOST:
        return f"{shown(number)} {problem}. Put it back to work under Numbers, or choose another number."
    remedy = "Choose another number." if number.active else "Activate it, or choose another number."
    return f"{shown(number)} {problem}. {remedy}"


def why_carrier_refuses_numbers(numbers: Sequence[PhoneNumber], channel: Channel, known: Known) -> str | None:
    """Return which of these usable numbers the carrier would refuse, and what to do; None if it refuses none.

    A campaign uses all of them in turn, so a number that the account has lost would stop it. Numbers that are not in
    `known` are accepted.
    """
    lost = [shown(number) for number in numbers if number.number in known and known[number.number] is None]
    found = [(number, known.get(number.number)) for number in numbers]
    able = {
        number.id: owned.sms if channel is Channel.SMS else owned.voice for number, owned in found if owned
    }
    unable = [shown(number) for number in numbers if not able.get(number.id, True)]
    act = "send text messages" if channel is Channel.SMS else "make calls"
    sentences = []
    if lost:
        has, them = ("does", "it") if len(lost) == 1 else ("do", "them")
        sentences.append(
            f"{', '.join(lost)} {has} not belong to the carrier account. "
            f"Buy {them} at the carrier, or choose another number."
        )
    if unable:
        sentences.append(f"{', '.join(unable)} cannot {act}, the carrier says. Choose another number.")
    return " ".join(sentences) or None


def number_warnings(
    campaign: Campaign,
    chosen: Sequence[PhoneNumber],
    carrier_account_id: int | None,
    *,
    contacts: int,
    now: datetime,
) -> list[str]:
    """Return warnings about the numbers if at least one is usable.

    They name the numbers that are skipped, with the reason, and those that rest, and say if there is less than one
    number per 20 contacts.
    """
    unfit = {number.id: _unfit(number, campaign.channel, carrier_account_id) for number in chosen}
    usable = [number for number in chosen if unfit[number.id] is None]
    if not usable:
        return []
    resting = [
        number
        for number in usable
        if campaign.channel is not Channel.SMS  # A resting number sends texts all the same.
        and number.rest is not None
        and (number.resting_until is None or number.resting_until > now)
    ]
    return [
        *(f"{shown(number)} is skipped: it {unfit[number.id]}." for number in chosen if unfit[number.id]),
        *(_resting(number, campaign.time_zone) for number in resting),
        *_nobody_calls(usable, resting),
        *_too_few(contacts, len(usable) - len(resting)),
    ]


def shown(number: PhoneNumber) -> str:
    """Return the number as people read it, with its label."""
    readable = pretty(number.number)
    return f"{readable} ({number.label})" if number.label else readable


def _unfit(number: PhoneNumber, channel: Channel, carrier_account_id: int | None) -> str | None:
    if not number.active:
        return "is not active"
    if channel is Channel.SMS and not number.sms:
        return "cannot send text messages"
    if channel is not Channel.SMS and not number.voice:
        return "cannot make calls"
    if carrier_account_id is not None and number.carrier_account_id not in {None, carrier_account_id}:
        return "belongs to another carrier account"
    if number.rest is NumberRest.FLAGGED and number.resting_until is None:
        return _LOST
    return None


def _resting(number: PhoneNumber, time_zone: str) -> str:
    why = _RESTS[number.rest] if number.rest is not None else ""
    until = number.resting_until
    if until is None:
        return f"{shown(number)} rests until somebody puts it back to work: {why}."
    there = until.astimezone(ZoneInfo(time_zone if is_zone(time_zone) else "UTC"))
    return f"{shown(number)} rests until {there.day} {there:%b, %H:%M} ({there:%Z}): {why}."


def _nobody_calls(usable: Sequence[PhoneNumber], resting: Sequence[PhoneNumber]) -> list[str]:
    if len(resting) < len(usable):
        return []
    ends = [number.resting_until for number in resting if number.resting_until is not None]
    until = "the first of them is back at work" if ends else "you put one back to work, under Numbers"
    return [f"Nobody is called until {until}."]


def _too_few(contacts: int, working: int) -> list[str]:
    needed = -(-contacts // CONTACTS_PER_NUMBER)
    if not working or working >= needed or contacts <= CONTACTS_PER_NUMBER:
        return []
    share = f"{contacts:,} contacts share {working} number{'s' * (working > 1)}."
    advice = f"use at least 1 number per {CONTACTS_PER_NUMBER} contacts ({needed:,} here)."
    return [f"{share} Carriers may flag a number that calls many people: {advice}"]

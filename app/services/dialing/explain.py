"""Why people of a campaign are contacted now, or not: the dispatcher's own answer, for the pages and the API.

What the dispatcher reads under lock is read here without one, and the same gate decides. A person whose place is
closed, or whose campaign waits as a whole, is not looked at by the dispatcher; the answer here is then what it will
find when it looks, by the order of the gate's rules.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.calling_hours import HoursClock
from app.domain.campaign import Channel
from app.domain.gate import Allowed, Blocked, Rule, Verdict, not_dialing
from app.domain.opening import Opening
from app.domain.pacing import Allowance, allowance
from app.domain.places import Place
from app.domain.recipient import RecipientStatus
from app.domain.rights import Right
from app.domain.suppression import SuppressionSource, scope_of
from app.domain.waiting import (
    OptOut,
    Story,
    Told,
    WaitReason,
    tell_blocked,
    tell_due,
    tell_ended,
    tell_later,
    zone_to_tell,
)
from app.models import Campaign, Organization
from app.services.access.principal import Principal, authorize
from app.services.campaigns.rows import load_campaign
from app.services.dialing.reserve import gate, limits
from app.services.dialing.reserve.candidates import Prepared, SettingsUnreadable, prepare_these
from app.services.dialing.reserve.claim import Claimed, look_at
from app.services.dialing.reserve.held import Held, look
from app.services.places.hours import hours_of_organization, opening_at, readable_rules
from app.services.places.openings import place_of
from app.services.places.store import place_of_contact
from app.services.recipients.gate_facts import STANDING_SUPPRESSION
from app.services.refs import Ref

MOST_EXPLAINED: Final = 500
"""Most people of one call: a page of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why one person of a campaign is contacted now, or not."""

    recipient_id: int
    is_waiting: bool
    told: Told
    zone: str
    """The time zone of the times in the sentences."""
    clock: HoursClock
    """Whose zone that is."""
    place_zones: tuple[str, ...]
    """Where the person may be; empty: not known, and the campaign's zone is assumed."""


async def explain(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    recipient_ids: Collection[int],
    now: datetime,
) -> dict[int, Explanation]:
    """Return the answer for each of these people of the campaign, at most `MOST_EXPLAINED` of them.

    Reads a page of people in a fixed number of statements; it locks and changes nothing. Raises `NotFound`.
    """
    authorize(principal, Right.VIEW)
    campaign = await load_campaign(session, principal, campaign_ref)
    organization = await session.get_one(Organization, campaign.organization_id)
    ids = list(recipient_ids)[:MOST_EXPLAINED]
    if not ids:
        return {}
    people = _ExplainedPeople(campaign, organization, now)
    await people.read(session, ids)
    waiting = [each.id for each in people.rows if each.status == RecipientStatus.PENDING]
    told = await _tell_waiting(session, people, waiting) if waiting else {}
    return {
        row.id: people.explanation(row, told.get(row.id) or _tell_other(people, row)) for row in people.rows
    }


def _tell_other(people: "_ExplainedPeople", row: Row[Any]) -> Told:
    """Return the answer for one who does not wait, or has stopped waiting since the rows were read."""
    story = people.story(row)
    if story.status is RecipientStatus.PENDING:
        return tell_due(story)
    return tell_ended(story, row.blocked_by, now=people.now)


_PEOPLE: Final = text(
    """
    SELECT r.id, r.status, r.not_before, r.attempts_made, r.blocked_by,
           coalesce(r.blocked_why, r.last_error, '') AS stored_why, contact.id AS contact_id,
           contact.number, contact.time_zone, contact.state, contact.country, contact.fields, contact.place_id,
           place.zones, place.number_zones, place.laws
    FROM recipient r JOIN contact ON contact.id = r.contact_id LEFT JOIN place ON place.id = contact.place_id
    WHERE r.campaign_id = :campaign_id AND r.id = ANY(CAST(:ids AS bigint[]))
    """
)

_OPT_OUTS: Final = text(
    f"""
    SELECT DISTINCT ON (number) number, source, created_at, reason FROM suppression
    WHERE {STANDING_SUPPRESSION} AND number = ANY(CAST(:numbers AS varchar[]))
    ORDER BY number, created_at
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)


class _ExplainedPeople:
    """People of one campaign as their rows say, with what tells about each."""

    def __init__(self, campaign: Campaign, organization: Organization, now: datetime) -> None:
        self.campaign, self.organization, self.now = campaign, organization, now
        self.rules = readable_rules(vars(campaign) | hours_of_organization(organization))
        self.rows: Sequence[Row[Any]] = ()
        self.places: dict[int, Place] = {}
        self._opt_outs: Mapping[str, OptOut] = {}

    async def read(self, session: AsyncSession, ids: Sequence[int]) -> None:
        """Read the rows, where the people are, and who has opted out."""
        given = {"campaign_id": self.campaign.id, "ids": ids}
        self.rows = (await session.execute(_PEOPLE, given)).all()
        # A place that is not stored yet is resolved as the dispatcher would before it looks.
        self.places = {
            row.id: place_of(row) if row.place_id is not None else place_of_contact(row._asdict()).place
            for row in self.rows
        }
        asked = {
            "organization_id": self.campaign.organization_id,
            "scope": scope_of(self.campaign.channel).value,
            "numbers": [row.number for row in self.rows],
        }
        self._opt_outs = {
            row.number: OptOut(source=SuppressionSource(row.source), at=row.created_at, reason=row.reason)
            for row in await session.execute(_OPT_OUTS, asked)
        }

    def story(self, row: Row[Any]) -> Story:
        """Return what the words about one of them are made of."""
        place = self.places[row.id]
        zone, whose = zone_to_tell(place, self.campaign.time_zone)
        return Story(
            status=RecipientStatus(row.status),
            channel=Channel(self.campaign.channel),
            attempts_made=row.attempts_made,
            zone=zone,
            whose=whose,
            opening=opening_at(self.rules, place, now=self.now) if self.rules else Opening.find((), self.now),
            opt_out=self._opt_outs.get(row.number),
            stored_why=row.stored_why,
        )

    def explanation(self, row: Row[Any], told: Told) -> Explanation:
        """Return the answer for one of them."""
        place = self.places[row.id]
        zone, whose = zone_to_tell(place, self.campaign.time_zone)
        return Explanation(
            recipient_id=row.id,
            is_waiting=row.status == RecipientStatus.PENDING,
            told=told,
            zone=zone,
            clock=whose,
            place_zones=place.zones,
        )


async def _tell_waiting(
    session: AsyncSession, people: _ExplainedPeople, ids: Sequence[int]
) -> dict[int, Told]:
    """Return the answers for those who wait."""
    campaign, now = people.campaign, people.now
    waiting = [row for row in people.rows if row.id in set(ids)]
    blocked = not_dialing(
        dialing_stopped=people.organization.dialing_stopped_at is not None,
        campaign_status=campaign.status,
        scheduled_at=campaign.scheduled_at,
    ) or (None if people.rules else _UNREADABLE_HOURS)
    prepared: Sequence[Prepared] = ()
    if blocked is None:
        try:
            prepared = await prepare_these(session, campaign_id=campaign.id, recipient_ids=ids)
        except SettingsUnreadable as error:
            blocked = Blocked(Rule.CAMPAIGN_STATE, None, str(error))
    held = await look(session, campaign.id, now=now) if blocked is None else None
    if held is None:
        blocked = blocked or _NO_ACCOUNT
        return {row.id: tell_blocked(people.story(row), blocked, now=now) for row in waiting}
    claimed = {
        each.prepared.recipient_id: each
        for each in await look_at(session, held, prepared, places=people.places, now=now)
    }
    suppressed = await gate.suppressed(session, held, [row.number for row in waiting])
    allowed = allowance(held.limits, await limits.count(session, held, now=now), now=now)
    return {
        row.id: _Asked(held, claimed[row.id], suppressed.get(row.number), allowed, now).tell(
            people.story(row), row
        )
        for row in waiting
        if row.id in claimed
    }


_UNREADABLE_HOURS: Final = Blocked(
    Rule.CAMPAIGN_STATE, None, "The campaign's calling hours cannot be read. Set them again in its settings."
)
_NO_ACCOUNT: Final = Blocked(Rule.CAMPAIGN_STATE, None, "The campaign has no carrier yet: start it.")


@dataclass(frozen=True, slots=True)
class _Asked:
    """One waiting person about whom the gate is asked, in a campaign that dials."""

    held: Held
    claimed: Claimed
    suppressed: str | None
    allowed: Allowance
    now: datetime

    def tell(self, story: Story, row: Row[Any]) -> Told:
        """Return the gate's answer in words."""
        verdict = self._verdict(self.claimed)
        if isinstance(verdict, Allowed) or verdict.rule is Rule.PACING:
            turned_away = gate.turned_away(self.held, now=self.now)
            verdict = turned_away or verdict
        if isinstance(verdict, Allowed):
            return tell_due(story)
        if verdict.rule is not Rule.RECIPIENT_STATE:
            return tell_blocked(story, verdict, now=self.now)
        if row.blocked_by == WaitReason.HOLD:
            # The stored sentence names the day as it was called when the hold was set.
            once_due = self._verdict(replace(self.claimed, not_before=self.now))
            if isinstance(once_due, Blocked) and once_due.rule is Rule.HOLD:
                return tell_blocked(story, once_due, now=self.now)
        return tell_later(story, row.not_before, row.blocked_by, now=self.now)

    def _verdict(self, claimed: Claimed) -> Verdict:
        return gate.verdict_of(
            self.held, claimed, self.suppressed, now=self.now, sign=_sign(self.held), allowance=self.allowed
        )


def _sign(held: Held) -> Blocked | None:
    """Return what a safeguard said at the last pass, as it is stored: it holds until the next one."""
    if held.gate_rule not in _SAFEGUARDS:
        return None
    return Blocked(Rule(held.gate_rule), held.gate_until, held.gate_why or "")


_SAFEGUARDS: Final = frozenset({Rule.BUDGET, Rule.PILOT, Rule.RAMP})

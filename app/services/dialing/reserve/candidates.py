"""Before the reservation and without locks: the next recipients, with their rendered texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.pacing import PacingLimits
from app.domain.templates import TemplateInvalid, Untellable
from app.models import Agent, Campaign, Organization, Step
from app.services.campaigns.rendering import Card, broken_templates, render_attempt_texts
from app.services.campaigns.setting_rows import unreadable
from app.services.places.hours import hours_of_organization, rules_of
from app.services.places.openings import WaitingPlaces, waiting_places

_SPARE: Final = 10
"""Recipients read beyond the free lines: some may be skipped, and the next ones take their turn."""


class SettingsUnreadable(Exception):
    """The stored settings of the campaign cannot be used. The text says what to correct."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recipient with its rendered texts, and the versions they were rendered from."""

    recipient_id: int
    recipient_version: datetime
    contact_version: datetime
    number: str
    place_id: int | None
    """None: not resolved yet. Such a person is not claimed."""
    rendered: dict[str, str] | None
    problem: str | None = None
    """Why it cannot be rendered: the recipient is skipped."""


@dataclass(frozen=True, slots=True)
class CandidateBatch:
    """The next recipients of a campaign, read at one moment."""

    campaign: Campaign
    agent: Agent | None
    prepared: tuple[Prepared, ...]
    is_full: bool
    """More people may be due than were read."""
    waiting: WaitingPlaces
    """Where people wait. If some places are not resolved: resolve them and read again."""
    moved: tuple[int, ...] = ()
    """Recipients whose contact has another place by now: they are read again there."""


async def prepare_batch(
    session: AsyncSession,
    *,
    campaign_id: int,
    most: int,
    at_most: int,
    now: datetime,
    waiting: WaitingPlaces | None = None,
) -> CandidateBatch | None:
    """Read the next due recipients where the calling hours are open, in dialing order, and render their texts.

    Locks nothing. `most` may be reserved. Some more are read, in all `at_most`. `waiting`: where people wait, if it was
    just read. Raises `SettingsUnreadable`.
    """
    sources = await _sources(session, campaign_id)
    if sources is None:
        return None
    campaign, agent, organization = sources.campaign, sources.agent, sources.organization
    # An estimate without locks: render for no more people than the campaign may call in a minute.
    a_minute = PacingLimits.of(vars(campaign)).calls_per_minute or most
    read = min(min(most, a_minute) + _SPARE, at_most)
    waiting = waiting or await _waiting(session, campaign, organization, now=now)
    places = [each.place_id for each in waiting.known if each.is_open(now) and each.due_at <= now]
    given = {
        "campaign_id": campaign_id,
        "places": places,
        "first_places": places[:read],
        "now": now,
        "most": read,
    }
    due = (await session.execute(_DUE, given)).all() if places else []
    prepared = await _rendered(session, sources, due)
    return CandidateBatch(
        campaign,
        agent,
        prepared,
        is_full=len(prepared) == read,
        waiting=waiting,
        moved=tuple(row.id for row in due if row.place_id != row.contact_place_id),
    )


async def _waiting(
    session: AsyncSession, campaign: Campaign, organization: Organization, *, now: datetime
) -> WaitingPlaces:
    rules = {campaign.id: rules_of(vars(campaign) | hours_of_organization(organization))}
    known = await waiting_places(session, rules, now=now)
    unresolved = await session.scalar(_UNRESOLVED, {"campaign_id": campaign.id})
    return WaitingPlaces(tuple(known), bool(unresolved))


async def prepare_these(
    session: AsyncSession, *, campaign_id: int, recipient_ids: Sequence[int]
) -> tuple[Prepared, ...]:
    """Return these recipients of the campaign that wait, due or not, with their texts. Raises `SettingsUnreadable`."""
    sources = await _sources(session, campaign_id)
    if sources is None:
        return ()
    given = {"campaign_id": campaign_id, "ids": list(recipient_ids)}
    return await _rendered(session, sources, (await session.execute(_THESE, given)).all())


@dataclass(frozen=True, slots=True)
class _Sources:
    """What the texts of a campaign are rendered from, apart from the people."""

    campaign: Campaign
    agent: Agent | None
    organization: Organization


async def _sources(session: AsyncSession, campaign_id: int) -> _Sources | None:
    row = (
        await session.execute(
            select(Campaign, Agent, Organization)
            .join(Organization, col(Organization.id) == col(Campaign.organization_id))
            .outerjoin(Agent, col(Agent.id) == col(Campaign.agent_id))
            .where(col(Campaign.id) == campaign_id)
        )
    ).one_or_none()
    if row is None:
        return None
    sources = _Sources(*row)
    if problems := unreadable(sources.campaign):
        raise SettingsUnreadable(problems)
    return sources


async def _rendered(
    session: AsyncSession, sources: _Sources, rows: Sequence[Row[Any]]
) -> tuple[Prepared, ...]:
    steps = await _steps(session, {row.step_id for row in rows})
    campaign, agent, name = sources.campaign, sources.agent, sources.organization.name
    return tuple(_render(row, steps[row.step_id], campaign, agent, name) for row in rows)


_CARD: Final = """
    r.id, r.updated_at, r.step_id, r.variables, contact.updated_at AS contact_version,
    contact.number, contact.name, contact.first_name, contact.last_name, contact.email, contact.company,
    contact.notes, r.place_id, contact.place_id AS contact_place_id
"""

_THESE: Final = text(
    f"""
    SELECT {_CARD} FROM recipient r JOIN contact ON contact.id = r.contact_id
    WHERE r.campaign_id = :campaign_id AND r.id = ANY(CAST(:ids AS bigint[])) AND r.status = 'pending'
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)

# Columns, not objects: three objects for each person take longer than rendering the texts.
#
# The first `most` people are in the `most` places whose first one is due first. From each of these, `most` are read.
_DUE: Final = text(
    f"""
    SELECT {_CARD}
    FROM (
        -- Recipients that waited because their number was in a call come first again.
        (SELECT r.*, 1 AS turn FROM recipient r
         WHERE r.campaign_id = :campaign_id AND r.status = 'pending' AND r.not_before <= :now
           AND r.blocked_by = 'number_in_use' AND r.place_id = ANY(CAST(:places AS bigint[]))
         ORDER BY r.not_before, r.position LIMIT :most)
        UNION ALL
        (SELECT next.*, 2 AS turn FROM unnest(CAST(:first_places AS bigint[])) AS open (place_id)
         CROSS JOIN LATERAL (SELECT r.* FROM recipient r
                             WHERE r.campaign_id = :campaign_id AND r.status = 'pending'
                               AND r.place_id = open.place_id AND r.not_before <= :now
                               AND r.blocked_by IS DISTINCT FROM 'number_in_use'
                             ORDER BY r.not_before, r.position LIMIT :most) next
         ORDER BY next.not_before, next.position LIMIT :most)
    ) r JOIN contact ON contact.id = r.contact_id
    ORDER BY r.turn, r.not_before, r.position
    LIMIT :most
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)

_UNRESOLVED: Final = text(
    """
    SELECT EXISTS (SELECT 1 FROM recipient
                   WHERE campaign_id = :campaign_id AND status = 'pending' AND place_id IS NULL)
    """
)


async def _steps(session: AsyncSession, step_ids: set[int]) -> dict[int, Step]:
    if not step_ids:
        return {}
    steps = await session.execute(select(Step).where(col(Step.id).in_(step_ids)))
    return {step.id: step for step in steps.scalars()}


def _render(
    row: Row[Any], step: Step, campaign: Campaign, agent: Agent | None, organization_name: str
) -> Prepared:
    texts: dict[str, str] | None = None
    problem: str | None = None
    try:
        texts = render_attempt_texts(step, campaign, agent, organization_name, cast(Card, row), row.variables)
    except (Untellable, TemplateInvalid) as error:
        if broken := broken_templates(step, agent):
            raise SettingsUnreadable(broken) from error  # The template is wrong for all: skip no recipient.
        problem = str(error)
    return Prepared(row.id, row.updated_at, row.contact_version, row.number, row.place_id, texts, problem)

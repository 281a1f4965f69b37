"""Previews an import: counts by kind, the first rows of each, and the campaign's texts for three people."""

from collections import Counter, defaultdict
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.contact_fields import MappingInvalid, require_phone_column
from app.domain.contact_import import ImportStatus
from app.domain.phone import pretty
from app.domain.rights import Right
from app.domain.templates import TemplateInvalid, Untellable
from app.models import Agent, Campaign, Contact, ContactImport, Organization
from app.services.access.principal import Principal, authorize
from app.services.campaigns.rendering import attempt_variables, lacking, part_sources, render_attempt_texts
from app.services.campaigns.rows import first_step
from app.services.errors import Conflict, FieldErrors
from app.services.imports.files.file_store import read_batches, reader_for
from app.services.imports.files.row_thread import in_thread
from app.services.imports.issues import Issue, IssueKind
from app.services.imports.rows.copy_format import CopyBatch
from app.services.imports.rows.number_set import SeenNumbers
from app.services.imports.rows.row_parser import CARD, FilePerson, ReadRows
from app.services.imports.run import BATCH_ROWS, number_rules, prepared, row_plan
from app.services.imports.store.matching import NO_MATCHES, MatchResult, match_people
from app.services.imports.views import ImportPreview, IssueRow, PreviewRow, SampleText
from app.services.imports.zones import add_zone_counts, zone_counts_of, zone_words_of
from app.services.refs import Ref, load

PREVIEW_ROWS: Final = 100_000
"""Most rows that a preview reads. The counts of a longer file are of these, and the page says so."""
SAMPLES: Final = 3
_ENDED: Final = frozenset(
    {ImportStatus.COMPLETED, ImportStatus.CANCELLED, ImportStatus.UNDOING, ImportStatus.UNDONE}
)


@dataclass(slots=True)
class _PreviewCount:
    """The counts so far."""

    limit: int
    examined: int = 0
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    accepted: list[PreviewRow] = field(default_factory=list)
    issues: dict[IssueKind, list[IssueRow]] = field(default_factory=dict)
    people: list[FilePerson] = field(default_factory=list)
    """The first people who go in."""
    zones: dict[str, int] = field(default_factory=dict)
    words: Counter[str] = field(default_factory=Counter)
    """What the time zone column says that is no zone by itself."""


async def preview_import(
    session: AsyncSession, *, principal: Principal, import_ref: Ref, limit: int = 10
) -> ImportPreview:
    """Return what the import would do with the rows, with the first `limit` of each kind. It writes nothing.

    Raises `FieldErrors` on `mapping` while no column holds the phone number, and `Conflict` when the import has ended:
    then its counts and issues have the result.
    """
    authorize(principal, Right.VIEW)
    contact_import = await load(session, ContactImport, import_ref, organization_id=principal.organization_id)
    if contact_import.status in _ENDED:
        raise Conflict(f"This import is {contact_import.status}: see what became of its rows instead.")
    try:
        require_phone_column(contact_import.mapping)
    except MappingInvalid as invalid:
        raise FieldErrors({"mapping": str(invalid)}) from invalid
    campaign = await session.get(Campaign, contact_import.campaign_id) if contact_import.campaign_id else None
    counted = await _look(session, contact_import, campaign, limit)
    return ImportPreview(
        total=contact_import.rows_total or 0,
        examined=counted.examined,
        **counted.counts,
        first_accepted=counted.accepted,
        first_issues=counted.issues,
        samples=await _samples(session, campaign, counted.people) if campaign else [],
        zones=zone_counts_of(counted.zones),
        zone_words=zone_words_of(counted.words, contact_import.zone_words),
    )


async def _look(
    session: AsyncSession, contact_import: ContactImport, campaign: Campaign | None, limit: int
) -> _PreviewCount:
    region, strict = await number_rules(session, contact_import.organization_id)
    reader, seen, counted = reader_for(contact_import), SeenNumbers(), _PreviewCount(limit)
    batches = read_batches(session, import_id=contact_import.id, reader=reader, size=BATCH_ROWS)
    async with aclosing(batches):
        async for batch in batches:
            plan = row_plan(reader, contact_import, region=region, strict=strict)
            rows, lines = await in_thread(prepared, batch.rows, plan, seen, for_campaign=False)
            known = NO_MATCHES
            if rows.people:
                known = await match_people(
                    session,
                    rows.people,
                    lines,
                    organization_id=contact_import.organization_id,
                    campaign=campaign,
                    hold=False,
                )
            _add(counted, rows, lines, known)
            if counted.examined >= PREVIEW_ROWS:
                break
    return counted


def _add(counted: _PreviewCount, rows: ReadRows, lines: CopyBatch, known: MatchResult) -> None:
    counted.examined += rows.total
    counted.zones = add_zone_counts(
        counted.zones, [lines.places[index].place.zones for index in known.going_in]
    )
    counted.words.update(person.zone_word for person in rows.people if person.zone_word)
    for name, count in known.tally(rows).items():
        counted.counts[name] += count
    for issue in [*rows.issues, *known.issues, *known.warnings(rows)]:
        listed = counted.issues.setdefault(issue.kind, [])
        if len(listed) < counted.limit:
            listed.append(_shown(issue))
    wanted = max(counted.limit, SAMPLES) - len(counted.people)
    going = (person for index, person in enumerate(rows.people) if index in known.going_in)
    for person, _ in zip(going, range(wanted), strict=False):
        counted.people.append(person)
    counted.accepted = [_preview_row(person) for person in counted.people[: counted.limit]]


async def _samples(session: AsyncSession, campaign: Campaign, people: list[FilePerson]) -> list[SampleText]:
    organization = await session.get_one(Organization, campaign.organization_id)
    agent = await session.get(Agent, campaign.agent_id) if campaign.agent_id else None
    step = await first_step(session, campaign.id)
    samples = []
    for person in people[:SAMPLES]:
        card: dict[str, Any] = {name: person.fields.get(name, "") for name in CARD}
        contact = Contact(number=person.number, organization_id=organization.id, fields=person.custom, **card)
        try:
            texts = render_attempt_texts(step, campaign, agent, organization.name, contact, person.variables)
        except (Untellable, TemplateInvalid) as reason:
            samples.append(SampleText(person.row.number, person.number, {}, [], str(reason)))
            continue
        known = attempt_variables(campaign, agent, organization.name, contact, person.variables)
        names = (lacking(campaign, source, known) for source in part_sources(step, agent).values())
        missing = list(dict.fromkeys(chain.from_iterable(names)))
        samples.append(SampleText(person.row.number, person.number, texts, missing))
    return samples


def _shown(issue: Issue) -> IssueRow:
    return IssueRow(issue.row.number, issue.kind, issue.reason, issue.row.cells)


def _preview_row(person: FilePerson) -> PreviewRow:
    return PreviewRow(
        row_number=person.row.number,
        number=person.number,
        pretty=pretty(person.number),
        name=person.fields.get("name", ""),
        variables=person.variables,
        warnings=list(person.warnings),
    )

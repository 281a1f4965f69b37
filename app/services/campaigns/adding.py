"""Adding people to a campaign: from the address book, by hand, or thousands at once by a rule."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import case, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import EDITABLE, CampaignStatus
from app.domain.phone import NumberRejected, PhoneNumber, normalize
from app.domain.rights import Right
from app.domain.suppression import scopes_of
from app.domain.template_variables import LONGEST_VARIABLE
from app.domain.templates import variable_name
from app.domain.text import is_blank, trimmed
from app.models import Campaign, Contact, Organization
from app.runtime.live_feed import announce
from app.services.access.principal import Principal, authorize
from app.services.campaigns.rows import first_step, latest_run, load_campaign
from app.services.campaigns.views import AddResult
from app.services.errors import Conflict, FieldErrors, NotFound
from app.services.field_readers import plain_text
from app.services.places.contacts import place_columns
from app.services.refs import Ref

MOST_VARIABLES: Final = 100
_LONGEST_NAME: Final = 200
_BAD_VARIABLE: Final = (
    f"A variable needs a name of letters and at most {LONGEST_VARIABLE:,} characters; "
    f"a contact can have {MOST_VARIABLES}."
)

# `given` has the people to add: contact_id, number, place_id, variables, and nth (their order). Each number is looked
# up as a range of one, in order: then old statistics never make the planner choose another index than that of numbers.
_ADD: Final = text("""
    WITH given AS (
        SELECT DISTINCT ON (c.id) c.id AS contact_id, c.number, c.place_id, u.variables, u.nth
        FROM unnest(CAST(:contacts AS bigint[]), CAST(:variables AS jsonb[]))
             WITH ORDINALITY AS u (contact_id, variables, nth)
        JOIN contact c ON c.id = u.contact_id AND c.organization_id = :organization_id
        ORDER BY c.id, u.nth
    ), fresh AS (
        SELECT g.contact_id, g.place_id, g.variables, row_number() OVER (ORDER BY g.nth) AS position,
               s.reason IS NOT NULL AS suppressed, s.reason
        FROM given g
        LEFT JOIN LATERAL (
            SELECT coalesce(nullif(rtrim(trim(s.reason), '.'), ''), 'no reason was given') AS reason
            FROM suppression s
            WHERE s.organization_id = :organization_id AND s.number >= g.number AND s.number <= g.number
              AND s.lifted_at IS NULL AND s.scope = ANY(CAST(:scopes AS varchar[]))
            ORDER BY s.number, s.id LIMIT 1
        ) s ON true
        WHERE NOT EXISTS (
            SELECT 1 FROM recipient r WHERE r.run_id = :run_id AND r.contact_id = g.contact_id OFFSET 0
        )
    ), added AS (
        INSERT INTO recipient (organization_id, campaign_id, run_id, step_id, contact_id, place_id, position, status,
                               attempts_made, not_before, blocked_by, blocked_why, variables, import_id,
                               audience_id, created_at, updated_at)
        SELECT :organization_id, :campaign_id, :run_id, :step_id, contact_id, place_id,
               :next_position + position - 1,
               CASE WHEN suppressed THEN 'skipped' ELSE 'pending' END, 0, :now,
               CASE WHEN suppressed THEN 'suppression' END,
               CASE WHEN suppressed THEN left('This number must not be contacted: ' || reason || '.', 500) END,
               variables, CAST(:import_id AS bigint), CAST(:audience_id AS bigint), :now, :now
        FROM fresh ORDER BY position
        ON CONFLICT (run_id, contact_id) DO NOTHING
        RETURNING status
    )
    SELECT count(*) FILTER (WHERE status = 'pending') AS added,
           count(*) FILTER (WHERE status = 'skipped') AS suppressed
    FROM added
""")


async def add_recipients_bulk(
    session: AsyncSession,
    *,
    campaign: Campaign,
    rows: Sequence[tuple[int, Mapping[str, object]]],
    now: datetime,
    import_id: int | None = None,
    audience_id: int | None = None,
) -> AddResult:
    """Add (contact id, variables) to a campaign, in this order. The caller has locked the campaign's row.

    People who are in it already are duplicates; people who must not be contacted are added as skipped. Ids of other
    organizations are ignored. `import_id`, `audience_id`: the import or audience that adds them. The caller has
    checked the rights and `require_editable_list`, and announces the change.
    """
    if not rows:
        return AddResult(added=0, duplicates=0, suppressed=0)
    parameters = await _parameters(session, campaign, now) | {
        "contacts": [contact for contact, _ in rows],
        "variables": [json.dumps(variables) for _, variables in rows],
        "import_id": import_id,
        "audience_id": audience_id,
    }
    listed = (await session.execute(_ADD, parameters)).one()
    return await _listed(session, campaign, added=listed.added, suppressed=listed.suppressed, asked=len(rows))


async def _parameters(session: AsyncSession, campaign: Campaign, now: datetime) -> dict[str, object]:
    run, step = await latest_run(session, campaign.id), await first_step(session, campaign.id)
    return {
        "organization_id": campaign.organization_id,
        "campaign_id": campaign.id,
        "run_id": run.id,
        "step_id": step.id,
        "next_position": campaign.next_position,
        "scopes": sorted(map(str, scopes_of(campaign.channel))),
        "now": now,
    }


async def _listed(
    session: AsyncSession, campaign: Campaign, *, added: int, suppressed: int, asked: int
) -> AddResult:
    campaign.next_position += added + suppressed
    await session.flush()
    return AddResult(added=added, duplicates=asked - added - suppressed, suppressed=suppressed)


def require_editable_list(campaign: Campaign) -> None:
    """Raise `Conflict` unless contacts may be added and removed now (seeds 003 and 004: draft or paused; or failed)."""
    if campaign.status in EDITABLE:
        return
    if campaign.status in {CampaignStatus.COMPLETED, CampaignStatus.CANCELLED}:
        raise Conflict(f"This campaign is {campaign.status}. Duplicate it to contact more people.")
    raise Conflict(
        f"This campaign is {campaign.status}: its contacts cannot be changed now. Pause the campaign first."
    )


async def add_contacts(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    contact_ids: Sequence[int],
    now: datetime,
) -> AddResult:
    """Add contacts of the address book, with the present values of their cards. Raises `NotFound` and `Conflict`."""
    authorize(principal, Right.EDIT_CAMPAIGNS)
    campaign = await load_campaign(session, principal, campaign_ref, lock=True)
    require_editable_list(campaign)
    found = await session.execute(
        select(Contact).where(
            col(Contact.organization_id) == principal.organization_id, col(Contact.id).in_(contact_ids)
        )
    )
    contacts = {contact.id: contact for contact in found.scalars()}
    for contact_id in contact_ids:
        if contact_id not in contacts:
            raise NotFound("contact", contact_id)
    rows = [(contact_id, card_variables(contacts[contact_id])) for contact_id in contact_ids]
    return await _add(session, campaign, rows, now)


async def add_manual(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    number: str,
    name: str,
    variables: Mapping[str, Any],
    now: datetime,
) -> AddResult:
    """Add one person by number, to the address book too. Raises `FieldErrors` and `Conflict`."""
    authorize(principal, Right.EDIT_CAMPAIGNS)
    campaign = await load_campaign(session, principal, campaign_ref, lock=True)
    require_editable_list(campaign)
    organization = await session.get_one(Organization, principal.organization_id)
    dialable, person, own = _read_person(organization, number, name, variables)
    contact_id = await _contact_of(session, organization, dialable.e164, person, now)
    own_name = {"name": person} if person else {}
    result = await _add(session, campaign, [(contact_id, own | own_name)], now)
    return replace(result, warnings=dialable.warnings)


async def _add(
    session: AsyncSession, campaign: Campaign, rows: Sequence[tuple[int, Mapping[str, object]]], now: datetime
) -> AddResult:
    result = await add_recipients_bulk(session, campaign=campaign, rows=rows, now=now)
    announce(session, organization_id=campaign.organization_id, campaign_id=campaign.id)
    return result


def card_variables(contact: Contact) -> dict[str, object]:
    """Return a contact's variables for the campaign. They are fixed now: a later import does not change them."""
    named = {
        "name": contact.name,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "email": contact.email,
        "company": contact.company,
    }
    return contact.fields | {name: value for name, value in named.items() if value}


def _read_person(
    organization: Organization, number: str, name: str, variables: Mapping[str, Any]
) -> tuple[PhoneNumber, str, dict[str, str]]:
    errors: dict[str, str] = {}
    dialable = PhoneNumber("")
    try:
        dialable = normalize(number, region=organization.default_region, strict=organization.strict_numbers)
    except NumberRejected as rejected:
        errors["phone_number"] = str(rejected)
    person = trimmed(plain_text(name))
    if len(person) > _LONGEST_NAME:
        errors["name"] = f"At most {_LONGEST_NAME} characters."
    own: dict[str, str] = {}
    for given, value in variables.items():
        key, said = variable_name(given), plain_text(str(value)) if value is not None else ""
        if not key or len(said) > LONGEST_VARIABLE or len(own) >= MOST_VARIABLES:
            errors[f"variables.{given}"] = _BAD_VARIABLE
        elif not is_blank(said):
            own[key] = said
    if errors:
        raise FieldErrors(errors)
    return dialable, person, own


async def _contact_of(
    session: AsyncSession, organization: Organization, number: str, name: str, now: datetime
) -> int:
    """Return the contact with that number; create it, or set its name if it has none."""
    new = Contact(organization_id=organization.id, number=number, name=name, created_at=now, updated_at=now)
    [place] = await place_columns(session, [{"number": number}])
    statement = upsert(Contact).values(new.model_dump(exclude={"id"}) | place)
    kept = case((col(Contact.name) == "", statement.excluded.name), else_=col(Contact.name))
    saved = statement.on_conflict_do_update(
        index_elements=["organization_id", "number"], set_={"name": kept}
    ).returning(col(Contact.id))
    return (await session.execute(saved)).scalar_one()

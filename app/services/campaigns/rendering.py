"""Renders the texts of one attempt: the step's templates with one recipient's variables."""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from app.domain.campaign import Channel, CompanyMeaning
from app.domain.templates import (
    MessageBlank,
    TemplateInvalid,
    build_variables,
    check,
    render,
    says_nothing,
    unresolved,
)
from app.domain.text import is_blank
from app.models import Agent, Campaign, Step
from app.services.campaigns.settings import parts_of


class Card(Protocol):
    """The fields of a contact that a message may use."""

    @property
    def number(self) -> str: ...  # noqa: D102 - a contact's columns
    @property
    def name(self) -> str | None: ...  # noqa: D102
    @property
    def first_name(self) -> str | None: ...  # noqa: D102
    @property
    def last_name(self) -> str | None: ...  # noqa: D102
    @property
    def email(self) -> str | None: ...  # noqa: D102
    @property
    def company(self) -> str | None: ...  # noqa: D102
    @property
    def notes(self) -> str | None: ...  # noqa: D102


CALL_PARTS: Final = parts_of(Channel.CALL)
"""Key of a call's rendered text -> the setting with its template."""

MESSAGE_PARTS: Final = parts_of(Channel.SMS)
"""The same for a text message."""


def render_attempt_texts(
    step: Step,
    campaign: Campaign,
    agent: Agent | None,
    organization_name: str,
    contact: Card,
    recipient_variables: Mapping[str, object],
) -> dict[str, str]:
    """Return the texts of the attempt: welcome, agenda, question, closing of a call, or body of a message.

    A part without a template is empty. Raises `Untellable`: `MissingVariable` if a value is missing and the campaign
    skips such contacts, and `MessageBlank` if all parts are empty. Raises `TemplateInvalid`.
    """
    variables = attempt_variables(campaign, agent, organization_name, contact, recipient_variables)
    texts = {
        part: rendered(campaign, source, variables) for part, source in part_sources(step, agent).items()
    }
    if all(map(is_blank, texts.values())):
        raise MessageBlank
    return texts


def rendered(campaign: Campaign, source: str, variables: Mapping[str, str]) -> str:
    """Return a template's text with the variables, by the campaign's rule for missing ones.

    Raises `MissingVariable` and `TemplateInvalid`.
    """
    return render(source, variables=variables, fallbacks=campaign.fallback_values, missing=campaign.missing)


def lacking(campaign: Campaign, source: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the template's variables that neither `known` nor the campaign's fallbacks have.

    Raises `TemplateInvalid`.
    """
    return unresolved(source, variables=known, fallbacks=campaign.fallback_values, missing=campaign.missing)


def part_sources(step: Step, agent: Agent | None) -> dict[str, str]:
    """Return the template of each part. A call without a welcome message uses its agent's greeting."""
    parts = MESSAGE_PARTS if step.channel is Channel.SMS else CALL_PARTS
    sources: dict[str, str] = {part: getattr(step, setting) for part, setting in parts.items()}
    if "welcome" in sources and says_nothing(sources["welcome"]) and agent is not None:
        sources["welcome"] = agent.greeting
    return sources


def broken_templates(step: Step, agent: Agent | None) -> dict[str, str]:
    """Return the templates that are invalid, or that are empty for every person: field -> what to do."""
    fields = {**CALL_PARTS, **MESSAGE_PARTS}
    return unwritten(step, agent) | {
        fields[part]: f"The {_CALLED[part]} cannot be read ({problem}). Correct it."
        for part, source in part_sources(step, agent).items()
        if (problem := _problem(source)) is not None
    }


def unwritten(step: Step, agent: Agent | None) -> dict[str, str]:
    """Return what to write if all texts are empty: field -> what to do."""
    if not all(map(says_nothing, part_sources(step, agent).values())):
        return {}
    if step.channel is Channel.SMS:
        return {MESSAGE_PARTS["body"]: "Write the text message."}
    return {CALL_PARTS["welcome"]: "Write what the agent says when the call is answered."}


def _problem(source: str) -> str | None:
    try:
        check(source)
    except TemplateInvalid as error:
        return str(error).rstrip(".")
    return None


_CALLED: Final[Mapping[str, str]] = {
    "welcome": "welcome message",
    "agenda": "agenda",
    "question": "question",
    "closing": "closing message",
    "body": "text message",
}


def attempt_variables(
    campaign: Campaign,
    agent: Agent | None,
    organization_name: str,
    contact: Card,
    recipient_variables: Mapping[str, object],
) -> dict[str, str]:
    """Return one recipient's variables. Its own, fixed when it was added, replace those of the contact's card."""
    return build_variables(
        contact=_card(contact),
        recipient=recipient_variables,
        organization_name=organization_name,
        assistant_name=agent.name if agent is not None else "",
        contact_company_wins=campaign.company_meaning is CompanyMeaning.CONTACT,
    )


def _card(contact: Card) -> dict[str, str | None]:
    return {
        "name": contact.name,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "email": contact.email,
        "company": contact.company,
        "notes": contact.notes,
        "phone_number": contact.number,
    }

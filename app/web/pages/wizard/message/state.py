"""The message as the draft's row holds it, and what one contact would hear or read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import reflex as rx

from app.domain.campaign import Channel
from app.domain.phone import pretty
from app.domain.rights import Right
from app.domain.sms import Encoding, segments, smart_encoding
from app.domain.templates import BUILT_IN_FALLBACKS, Missing, TemplateInvalid, check, variable_name
from app.services.agents.queries import get_agent
from app.services.campaigns.call_log import list_recipients
from app.services.campaigns.preflight import preview_message
from app.services.campaigns.readiness import ALWAYS_KNOWN
from app.services.campaigns.rendering import CALL_PARTS, MESSAGE_PARTS
from app.services.campaigns.views import CampaignDetail, MessagePreview
from app.web.forms import whole
from app.web.guard import guarded
from app.web.options import Option
from app.web.pages.campaign.fields import message
from app.web.pages.campaign.fields.boxes import parts as parts_of
from app.web.pages.campaign.fields.form import MESSAGE
from app.web.pages.wizard.state import draft_id
from app.web.pages.wizard.step_state import StepState
from app.web.pages.wizard.steps import WizardStep
from app.web.visit import Visit

PREVIEW_PEOPLE: Final = 25
"""Contacts offered for the preview: the first of the campaign."""

_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {Channel.CALL: CALL_PARTS, Channel.SMS: MESSAGE_PARTS}
PART_WORDS: Final = {
    "welcome": "Greeting",
    "agenda": "Agenda",
    "question": "Question",
    "closing": "Closing",
    "body": "Text message",
}
"""Part of a message -> its heading."""


@dataclass(frozen=True, slots=True)
class FallbackRow:
    """A variable of the message: what this contact has, and what stands in where there is nothing."""

    name: str
    written: str
    box: str
    built_in: str
    sample: str


@dataclass(frozen=True, slots=True)
class PreviewPart:
    """One part of the message as this contact gets it."""

    label: str
    text: str


class MessageState(StepState, rx.State):
    """Templates, fallbacks and the preview."""

    STEP: ClassVar[WizardStep] = WizardStep.MESSAGE

    SETTINGS: ClassVar[frozenset[str]] = MESSAGE

    channel: rx.Field[str] = rx.field("call")
    texts: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """Template setting -> what stands in its box, savable or not."""
    greeting: rx.Field[str] = rx.field("")
    """What the agent says when the campaign has no greeting of its own."""
    agent_name: rx.Field[str] = rx.field("")
    variables: rx.Field[list[str]] = rx.field(default_factory=list)
    """Everybody's, as chips."""
    list_variables: rx.Field[list[str]] = rx.field(default_factory=list)
    """The columns of this campaign's list, as chips."""
    fallbacks: rx.Field[list[FallbackRow]] = rx.field(default_factory=list)
    missing: rx.Field[str] = rx.field("fallback")
    people: rx.Field[list[Option]] = rx.field(default_factory=list)
    person: rx.Field[str] = rx.field("")
    preview_of: rx.Field[str] = rx.field("")
    parts: rx.Field[list[PreviewPart]] = rx.field(default_factory=list)
    unresolved: rx.Field[list[str]] = rx.field(default_factory=list)
    size: rx.Field[str] = rx.field("")
    """How many parts the text message takes, in words."""
    size_hint: rx.Field[str] = rx.field("")
    is_long: rx.Field[bool] = rx.field(False)
    _unsaved_texts: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """Templates as they were sent last: the preview shows those too that cannot be saved."""

    @guarded(Right.EDIT_CAMPAIGNS)
    async def choose_missing(self, visit: Visit, missing: str) -> None:
        """Set what becomes of a variable without a value."""
        await self._choose(visit, {message.MISSING: missing})

    @guarded(Right.VIEW)
    async def try_on(self, visit: Visit, person: str) -> None:
        """Preview on another contact of the campaign."""
        self.person = person
        await self._preview(visit, self.values)

    async def _save(
        self, visit: Visit, form: Mapping[str, Any], *, others_stay: bool = False
    ) -> CampaignDetail:
        names = message.templates(self.channel)
        typed = {name: str(form[name]) for name in names if name in form}
        self._unsaved_texts = self._unsaved_texts | typed if others_stay else typed
        detail = await super()._save(visit, form, others_stay=others_stay)
        self._unsaved_texts = {
            name: text for name, text in self._unsaved_texts.items() if name in self.errors
        }
        return detail

    def _spoken(self, box: str, text: str) -> str:
        return message.MISSING_WORDS[Missing(text)] if box == message.MISSING else text

    async def _show(self, visit: Visit, detail: CampaignDetail) -> None:
        settings = detail.settings
        if self.loading:
            self._unsaved_texts = {}
            self.people = await _people(visit, detail.id)
            self.person = self.people[0].value if self.people else ""
            self.greeting, self.agent_name = await _greeting(visit, settings.agent_id)
        self.channel, self.missing = settings.channel, settings.missing
        self.variables = [name for name in ALWAYS_KNOWN if name not in _ALIASES]
        names = message.templates(settings.channel)
        self.texts = {name: self._unsaved_texts.get(name, self.values.get(name, "")) for name in names}
        await self._preview(visit, self.values)

    async def _preview(self, visit: Visit, values: Mapping[str, str]) -> None:
        async with visit.reading() as session:
            preview = await preview_message(
                session,
                principal=visit.principal,
                campaign_ref=draft_id(self),
                contact_id=whole(self.person),
                overrides=dict(self.texts),
            )
        parts = {part: preview.texts.get(part, "") for part in _FIELDS[self.channel]}
        self.parts = [PreviewPart(PART_WORDS[part], text) for part, text in parts.items() if text]
        self.list_variables = [name for name in preview.variables if name not in ALWAYS_KNOWN]
        self.unresolved = preview.unresolved
        self.preview_of = " · ".join(filter(None, (preview.contact_name, pretty(preview.number))))
        fallbacks = parts_of(message.FALLBACKS, values)
        self.fallbacks = _fallback_rows([*self.texts.values(), self.greeting], fallbacks, preview)
        self._measure(parts.get("body", ""))

    def _measure(self, body: str) -> None:
        size = segments(body)
        self.is_long = size.parts > 1
        plural = "s" * (size.parts != 1)
        self.size = f"{size.units:,} characters · {size.parts} segment{plural} · {size.encoding}"
        self.size_hint = _size_hint(body)


_ALWAYS_THERE: Final = frozenset({"assistant_name", "company", "phone", "phone_number"})
"""Variables that have a value whoever the contact is, once it has one here."""
_ALIASES: Final = frozenset({"phone", "contact_name"})
"""Other words for what has a chip already."""


def _size_hint(body: str) -> str:
    """Return what would make a text message cheaper; each segment is billed."""
    size = segments(body)
    if size.encoding is Encoding.UCS_2:
        outside = " ".join(size.outside[:8])
        plainer = segments(smart_encoding(body))
        saving = f" Plain ones would make it {plainer.parts}." if plainer.parts < size.parts else ""
        return f"{outside} makes the message Unicode: 70 characters a segment instead of 160.{saving}"
    if size.parts > 1:
        return f"Every segment is billed. Keep it within 160 characters to pay for one, not {size.parts}."
    return f"{size.room} more characters fit into one segment. Each segment is billed."


def _fallback_rows(
    sources: Iterable[str], fallbacks: Mapping[str, str], preview: MessagePreview
) -> list[FallbackRow]:
    """Return a row for each variable that is written or has a fallback, in order of use."""
    written = (variable_name(name) for name in _written(sources))
    lacking = [name for name in written if name not in _ALWAYS_THERE or not preview.values.get(name)]
    names = dict.fromkeys([*lacking, *fallbacks])
    return [
        FallbackRow(
            name=name,
            written=f"{{{{{name}}}}}",
            box=f"{message.FALLBACKS}.{name}",
            built_in=BUILT_IN_FALLBACKS.get(name, ""),
            sample=preview.values.get(name, ""),
        )
        for name in names
        if name
    ]


def _written(sources: Iterable[str]) -> Iterable[str]:
    for source in sources:
        try:
            yield from check(source)
        except TemplateInvalid:
            continue


async def _people(visit: Visit, campaign_id: int) -> list[Option]:
    async with visit.reading() as session:
        page = await list_recipients(
            session, principal=visit.principal, campaign_ref=campaign_id, page_size=PREVIEW_PEOPLE
        )
    return [
        Option(str(row.contact_id), f"{row.name} · {row.pretty}" if row.name else row.pretty)
        for row in page.items
    ]


async def _greeting(visit: Visit, agent_id: int | None) -> tuple[str, str]:
    if agent_id is None:
        return "", ""
    async with visit.reading() as session:
        agent = await get_agent(session, principal=visit.principal, agent_ref=agent_id)
    return agent.greeting, agent.name

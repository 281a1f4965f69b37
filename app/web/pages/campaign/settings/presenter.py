"""A campaign's settings in words, in the groups of the steps that change them."""

from dataclasses import dataclass

from app.services.campaigns.views import CampaignDetail
from app.web import routes
from app.web.pages.campaign.fields import basics, hours, message, pace, retries, safeguards
from app.web.pages.campaign.fields.boxes import Fact


@dataclass(frozen=True, slots=True)
class SettingsGroup:
    """Settings that belong together."""

    title: str
    facts: list[Fact]
    edit: str
    """The address of the step where they are changed."""


def groups(detail: CampaignDetail, *, organization: str) -> list[SettingsGroup]:
    """Return every setting in words."""
    settings = detail.settings

    def group(title: str, facts: list[Fact], step: str) -> SettingsGroup:
        return SettingsGroup(title, facts, routes.edit_step(organization, detail.id, step))

    return [
        group("Basics", basics.facts(detail), "basics"),
        group("Message", message.facts(settings), "message"),
        group("Pace", pace.facts(settings), "pace"),
        group("Retries", retries.facts(settings), "pace"),
        group("When", hours.facts(settings), "pace"),
        group("More", safeguards.facts(settings), "pace"),
    ]

"""Pictures of every page: `python -m tests.e2e.screenshots [DIR] [--only NAME ...]`.

Starts an installation of its own with sample data and campaigns in every stage, and photographs each page in
light and dark, on a desk and on a phone. A new page is one line in `SHOTS`.
"""

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.browsing import PATIENCE_MS, ready
from tests.e2e.gallery import Gallery, make_gallery, set_up_link
from tests.e2e.installation import running_installation
from tests.support.chromium import running_chromium

WIDTHS: Final = {1440: 900, 1024: 768, 390: 844}
"""Pixels wide -> pixels high."""
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


@dataclass(frozen=True)
class Shot:
    """One picture: a page, and what is done on it first."""

    name: str
    path: str
    """Below the organization; `{draft}`, `{running}`, `{paused}`, `{completed}` are campaigns' ids."""
    prepare: Callable[[Page], None] = lambda page: None


def _press(name: str) -> Callable[[Page], None]:
    """Press the first button of that name, and wait for what it opens."""

    def press(page: Page) -> None:
        page.get_by_role("button", name=name).first.click()
        expect(page.get_by_role("dialog").or_(page.get_by_role("alertdialog"))).to_be_visible()

    return press


def _person(page: Page) -> None:
    page.get_by_label("Search contacts").fill("Jane")
    page.get_by_role("link", name="Jane Smith").click()
    page.wait_for_url(re.compile(r"/contacts/[0-9]+"))
    ready(page)
    expect(page.get_by_text("May we contact them?")).to_be_visible()


def _person_form(page: Page) -> None:
    _person(page)
    page.get_by_role("button", name="Edit").click()
    expect(page.get_by_label("Custom fields")).to_be_visible()


def _sheet(page: Page) -> None:
    page.locator(".cs-row-link").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()


def _hold(page: Page) -> None:
    _sheet(page)
    page.get_by_role("button", name="Not before").click()
    expect(page.get_by_text("When may they be contacted again?")).to_be_visible()


def _card(page: Page) -> None:
    number = page.locator(".cs-number-there").first.inner_text().split("there")[0].strip()
    page.goto(page.url.split("/campaigns/")[0] + "/contacts")
    ready(page)
    page.get_by_label("Search contacts").fill(number)
    page.locator(".cs-table a").first.click()
    page.wait_for_url(re.compile(r"/contacts/[0-9]+"))
    ready(page)
    expect(page.get_by_text("May we contact them?")).to_be_visible()


def _filtered(page: Page) -> None:
    _press("Add filter")(page)
    page.get_by_label("Tags, separated by commas").fill("vip")
    page.get_by_role("dialog").get_by_role("button", name="Add filter").click()
    expect(page.get_by_text("Tags any of vip")).to_be_visible()
    page.get_by_role("row").get_by_label(re.compile("^Select (?!this page)")).first.click()
    expect(page.get_by_text("1 selected")).to_be_visible()


def _imported(page: Page) -> None:
    page.get_by_role("button", name="autumn-leads.csv", exact=True).click()
    expect(page.get_by_role("dialog").get_by_text("Rows with an issue")).to_be_visible()


def _audience(page: Page) -> None:
    page.get_by_role("button", name="From address book").first.click()
    page.get_by_text("An outcome", exact=True).click()
    page.get_by_label("No answer").click()
    page.get_by_label("Busy").click()
    expect(page.locator(".cs-audience .cs-form-note")).to_contain_text(re.compile("match"))


def _audience_rules(page: Page) -> None:
    page.get_by_role("button", name="From address book").first.click()
    page.get_by_text("The whole address book.").click()
    page.get_by_text("Keep adding who matches while it runs").click()
    expect(page.locator(".cs-audience .cs-form-note")).to_contain_text(re.compile("match"))
    page.get_by_role("button", name="Keep adding them").click()
    expect(page.get_by_text("Keeps adding who matches").first).to_be_visible()


def _menu(page: Page) -> None:
    page.get_by_role("button", name="Actions of Ava").click()
    expect(page.get_by_role("menu")).to_be_visible()


def _cancel(page: Page) -> None:
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Cancel campaign").click()
    expect(page.get_by_role("alertdialog")).to_be_visible()


def _unfold(page: Page) -> None:
    for summary in page.locator(".cs-fold > summary").all():
        summary.click()


def _rest(page: Page) -> None:
    page.get_by_role("button", name="Actions of").first.click()
    page.get_by_role("menuitem", name="Rest this number").click()
    expect(page.get_by_role("dialog")).to_be_visible()


BEFORE_SIGN_IN: Final = (
    Shot("sign-in", "/sign-in"),
    Shot("set-up-refused", "/setup?token=used"),
)
SHOTS: Final = (
    Shot("campaigns", "campaigns"),
    Shot("campaign-draft", "campaigns/{draft}"),
    Shot("campaign-running", "campaigns/{running}"),
    Shot("campaign-running-contacts", "campaigns/{running}/contacts"),
    Shot("campaign-running-settings", "campaigns/{running}/settings"),
    Shot("campaign-cancel", "campaigns/{running}", _cancel),
    Shot("campaign-paused", "campaigns/{paused}"),
    Shot("campaign-paused-adding", "campaigns/{paused}/contacts", _audience),
    Shot("campaign-running-adding", "campaigns/{running}/contacts", _audience),
    Shot("campaign-paused-rules", "campaigns/{paused}/contacts", _audience_rules),
    Shot("campaign-piloted", "campaigns/{piloted}"),
    Shot("campaign-stopped", "campaigns/{stopped}"),
    Shot("campaign-failed", "campaigns/{failed}"),
    Shot("why-overview", "campaigns/{waiting}"),
    Shot("why-contacts", "campaigns/{waiting}/contacts"),
    Shot("why-filtered", "campaigns/{waiting}/contacts?reason=calling_hours"),
    Shot("why-person", "campaigns/{waiting}/contacts?reason=hold", _sheet),
    Shot("why-hold", "campaigns/{waiting}/contacts?reason=hold", _hold),
    Shot("why-calls", "campaigns/{waiting}/calls"),
    Shot("why-contact", "campaigns/{waiting}/contacts?reason=hold", _card),
    Shot("campaign-completed", "campaigns/{completed}"),
    Shot("campaign-completed-contacts", "campaigns/{completed}/contacts"),
    Shot("campaign-completed-calls", "campaigns/{completed}/calls"),
    Shot("wizard-basics", "campaigns/{draft}/edit/basics"),
    Shot("wizard-message", "campaigns/{draft}/edit/message"),
    Shot("wizard-contacts", "campaigns/{draft}/edit/contacts"),
    Shot("wizard-contacts-adding", "campaigns/{draft}/edit/contacts", _audience),
    Shot("wizard-pace", "campaigns/{draft}/edit/pace"),
    Shot("wizard-pace-open", "campaigns/{draft}/edit/pace", _unfold),
    Shot("wizard-paused", "campaigns/{paused}/edit/pace"),
    Shot("wizard-review", "campaigns/{draft}/edit/review"),
    Shot("wizard-review-lacking", "campaigns/{lacking}/edit/review"),
    Shot("wizard-review-texts", "campaigns/{lacking_texts}/edit/review"),
    Shot("campaign-start-lacking", "campaigns/{lacking}", _press("Start")),
    Shot("campaign-start-texts", "campaigns/{lacking_texts}", _press("Start")),
    Shot("campaign-skipped-contacts", "campaigns/{lacking}/contacts?status=skipped_ahead"),
    Shot("campaign-cancelled", "campaigns/{cancelled}"),
    Shot("contacts", "contacts"),
    Shot("contacts-filter", "contacts", _press("Add filter")),
    Shot("contacts-filtered", "contacts", _filtered),
    Shot("contacts-segments", "contacts", _press("Segments")),
    Shot("contacts-bulk-changes", "contacts", _press("Bulk changes")),
    Shot("contact-new", "contacts", _press("New contact")),
    Shot("contact-page", "contacts", _person),
    Shot("contact-form", "contacts", _person_form),
    Shot("imports", "imports"),
    Shot("imports-sheet", "imports", _imported),
    Shot("imports-new", "contacts/import"),
    Shot("suppressions", "suppressions"),
    Shot("suppressions-add", "suppressions", _press("Block a number")),
    Shot("suppressions-import", "suppressions", _press("Import")),
    Shot("agents", "agents"),
    Shot("agent-menu", "agents", _menu),
    Shot("agent-form", "agents", _press("Ava")),
    Shot("numbers", "numbers"),
    Shot("number-form", "numbers", _press("Add number")),
    Shot("number-rest", "numbers", _rest),
    Shot("settings", "settings"),
    Shot("settings-new-key", "settings", _press("New key")),
    Shot("settings-stop", "settings", _press("Stop all dialing")),
)


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description="Photograph every page.")
    parser.add_argument("directory", nargs="?", type=Path, default=Path("screenshots"))
    parser.add_argument("--only", nargs="+", default=[], help="Shots whose name begins with one of these.")
    given = parser.parse_args()
    given.directory.mkdir(parents=True, exist_ok=True)
    with running_installation() as installation, running_chromium() as browser:
        link = set_up_link(installation)
        photograph(
            browser, installation.url, (Shot("set-up", link), *BEFORE_SIGN_IN), given.directory, given.only
        )
        gallery = make_gallery(installation)
        photograph(browser, installation.url, SHOTS, given.directory, given.only, gallery)


def photograph(
    browser: Browser,
    url: str,
    shots: Sequence[Shot],
    directory: Path,
    only: Sequence[str],
    gallery: Gallery | None = None,
) -> None:
    """Write `<name>-<width>-<scheme>.png` for every shot; with a gallery as its owner, else as nobody."""
    wanted = [shot for shot in shots if not only or shot.name.startswith(tuple(only))]
    for width, height in WIDTHS.items():
        for scheme in SCHEMES:
            context = browser.new_context(
                base_url=url,
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                locale="en-US",
                timezone_id="America/New_York",
                reduced_motion="reduce",
            )
            context.set_default_timeout(PATIENCE_MS)
            if gallery:
                gallery.sign_in(context)
            for shot in wanted:
                path = gallery.address(shot.path) if gallery else shot.path
                _take(context, shot, path, directory / f"{shot.name}-{width}-{scheme}.png")
            context.close()


def _take(context: BrowserContext, shot: Shot, path: str, file: Path) -> None:
    page = context.new_page()
    page.goto(path)
    ready(page)
    expect(page.locator(".cs-skeleton, .cs-working")).to_have_count(0)
    page.evaluate("document.fonts.ready")
    shot.prepare(page)
    page.screenshot(path=file, full_page=True, animations="disabled")
    page.close()


if __name__ == "__main__":
    main()

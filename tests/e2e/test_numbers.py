"""Adding a number: the carrier's word stands at the box, and what was typed stays."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import row, visit
from tests.e2e.world import BrowserWorld, make_world
from tests.support.numbers import new_number


def test_a_number_is_added_once_the_carrier_account_has_it(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    number = new_number(305)
    shown = f"+1 {number[2:5]}-{number[5:8]}-{number[8:]}"
    world.sign_in(context, world.member())
    visit(page, world.address("numbers"))
    page.get_by_role("button", name="Add number").click()
    form = page.get_by_role("dialog")
    box = form.get_by_label("Number", exact=True)
    box.fill(number)
    form.get_by_label("Label").fill("Miami")
    form.get_by_role("button", name="Add number").click()
    expect(form.get_by_text(f"does not have {shown}. Choose one of its numbers")).to_be_visible()
    expect(box).to_be_focused()
    expect(box).to_have_value(number)

    world.installation.carrier.own(number, sms=False)
    form.get_by_role("button", name="Add number").click()
    expect(form.get_by_text(f"The carrier says that {shown} is for calls only.")).to_be_visible()
    form.get_by_label("Texts", exact=True).uncheck()
    form.get_by_role("button", name="Add number").click()
    expect(row(page, "Miami")).to_contain_text(shown)
    expect(row(page, "Miami")).not_to_contain_text("Replies not received")


def test_a_number_of_another_organization_is_refused_at_its_box(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    other = make_world(world.installation)
    taken = other.numbers[0]
    world.sign_in(context, world.member())
    visit(page, world.address("numbers"))
    page.get_by_role("button", name="Add number").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Number", exact=True).fill(taken)
    form.get_by_role("button", name="Add number").click()
    expect(form.get_by_text("already belongs to another organization of this installation")).to_be_visible()

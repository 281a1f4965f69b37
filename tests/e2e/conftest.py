"""One installation and one browser for all journeys; for each journey its own world and browser context."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.browsing import new_context
from tests.e2e.installation import SPEED, Installation, running_installation
from tests.e2e.watching import Witness
from tests.e2e.world import BrowserWorld, make_world
from tests.support.chromium import ChromiumMissing, running_chromium

_LONGEST_LOG = 6_000

# What a failed test says beside its assertion; filled while its fixtures live.
_told = pytest.StashKey[dict[str, Callable[[], str]]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the first journey the time to build the front-end and, if need be, to install a browser."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(600))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach to a failure what the browser showed and what the processes wrote meanwhile."""
    report = yield
    if report.failed:
        for name, tell in item.stash.get(_told, {}).items():
            report.sections.append((name, tell()[-_LONGEST_LOG:]))
    return report


# Of the package's scope, not the session's: asynchronous tests run neither beside Playwright nor should
# they share two cores with a whole installation.
@pytest.fixture(scope="package")
def installation() -> Iterator[Installation]:
    """Everything that `callsheet up` runs."""
    with running_installation() as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    try:
        with running_chromium() as chromium:
            yield chromium
    except ChromiumMissing as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture
def context(browser: Browser, installation: Installation) -> Iterator[BrowserContext]:
    """A browser as nobody has used it."""
    context = new_context(browser, installation.url)
    yield context
    context.close()


@pytest.fixture(autouse=True)
def witness(
    context: BrowserContext, installation: Installation, request: pytest.FixtureRequest
) -> Iterator[Witness]:
    """Fails the journey for every error in the browser that it did not expect."""
    witness, sizes = Witness(context), installation.log_sizes()

    def logs() -> str:
        written = installation.logs_since(sizes)
        return "\n".join(f"[{name}]\n{text[-_LONGEST_LOG // 3 :]}" for name, text in written.items() if text)

    request.node.stash[_told] = {
        "Captured page": witness.what_is_shown,
        "Captured browser errors": lambda: "\n".join(witness.problems),
        "Captured processes": logs,
    }
    yield witness
    if problems := witness.problems:
        pytest.fail("In the browser:\n" + "\n".join(problems), pytrace=False)


@pytest.fixture
def page(context: BrowserContext, witness: Witness) -> Page:
    """A tab of it."""
    return context.new_page()


@pytest.fixture
def world(installation: Installation) -> Iterator[BrowserWorld]:
    """An organization of one's own, at a carrier that works as usual."""
    yield make_world(installation)
    installation.carrier.speed(SPEED)

"""What most tests of services begin with."""

import pytest

from app.models import Organization
from app.runtime.database import Database
from app.services.access.principal import Principal
from tests.services.campaign_world import CampaignWorld, build_world
from tests.support.builders import make_organization, principal


@pytest.fixture
async def acme(database: Database) -> Organization:
    """An organization, stored."""
    async with database.transaction() as session:
        return await make_organization(session)


@pytest.fixture
def owner(acme: Organization) -> Principal:
    """An owner of it."""
    return principal(acme)


@pytest.fixture
async def world(database: Database) -> CampaignWorld:
    """Acme Corp with all that a campaign needs."""
    return await build_world(database)

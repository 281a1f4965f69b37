"""How much a request about one campaign reads, counted at the database."""

import pytest

from tests.api.conftest import ApiWorld
from tests.support.builders import make_number
from tests.support.statements import sent_statements


async def test_a_change_loads_the_campaign_once_and_reads_its_people_for_the_answer_alone(
    world: ApiWorld,
) -> None:
    campaign = await world.make_ready_campaign()
    with sent_statements(world.database) as sent:
        answer = await world.patch(f"/campaigns/{campaign['id']}", {"name": "April reminders"})
    assert answer.json()["name"] == "April reminders"
    assert len(sent) <= 9, f"{len(sent)} statements change a name; 9 did when this was written"
    for table in ("campaign", "step", "campaign_number"):
        assert sum(f"\nFROM {table} " in each for each in sent) == 1, table
    assert sum("FROM recipient" in each for each in sent) == 2, "their counts, and their variables"


async def test_the_answer_to_a_change_is_what_is_shown_afterwards(world: ApiWorld) -> None:
    campaign = await world.make_ready_campaign()
    async with world.database.transaction() as session:
        other = await make_number(session, world.organization)
    changes = {"number_pool": [other.id, world.number.id], "budget_cap": 99.5, "retry_delays": [5, 10]}
    answer = await world.patch(f"/campaigns/{campaign['id']}", changes)
    assert answer.json() == (await world.get(f"/campaigns/{campaign['id']}")).json()
    assert answer.json()["number_pool"] == [other.id, world.number.id]


@pytest.mark.parametrize("what", ["progress", "stats"])
async def test_what_moves_is_read_without_the_campaigns_settings(world: ApiWorld, what: str) -> None:
    campaign = await world.make_ready_campaign()
    with sent_statements(world.database) as sent:
        answer = await world.get(f"/campaigns/{campaign['id']}/{what}")
    assert answer.status_code == 200
    assert len(sent) <= 7, f"{len(sent)} statements tell of the {what}; 7 did when this was written"
    assert not [each for each in sent if "FROM step" in each or "variables" in each]

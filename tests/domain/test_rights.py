"""Every role and every right."""

from itertools import pairwise, product

import pytest

from app.domain.rights import ROLE_RIGHTS, Right, Role, has_right

# For each right, the least role that has it.
LEAST = {
    Right.VIEW: Role.VIEWER,
    Right.RUN_CAMPAIGNS: Role.OPERATOR,
    Right.STOP_DIALING: Role.OPERATOR,
    Right.EDIT_CAMPAIGNS: Role.MANAGER,
    Right.EDIT_CONTACTS: Role.MANAGER,
    Right.EDIT_AGENTS: Role.MANAGER,
    Right.EDIT_NUMBERS: Role.MANAGER,
    Right.EXPORT: Role.MANAGER,
    Right.RESUME_DIALING: Role.MANAGER,
    Right.MANAGE_SETTINGS: Role.OWNER,
    Right.MANAGE_MEMBERS: Role.OWNER,
    Right.MANAGE_KEYS: Role.OWNER,
}
RISING = (Role.VIEWER, Role.OPERATOR, Role.MANAGER, Role.OWNER)


@pytest.mark.parametrize(("role", "right"), list(product(Role, Right)), ids=str)
def test_each_role_has_the_rights_of_its_rank_and_no_more(role: Role, right: Right) -> None:
    assert has_right(role, right) is (RISING.index(role) >= RISING.index(LEAST[right]))


def test_the_tables_name_every_role_and_right() -> None:
    assert set(ROLE_RIGHTS) == set(Role) == set(RISING)
    assert set(LEAST) == set(Right)


def test_a_higher_role_has_every_right_of_a_lower_one() -> None:
    assert all(ROLE_RIGHTS[lower] < ROLE_RIGHTS[higher] for lower, higher in pairwise(RISING))

"""What an address says of where one is."""

import pytest

from app.web.routes import Place, place


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/acme/campaigns", Place("acme", None)),
        ("/acme/campaigns/7/", Place("acme", 7)),
        ("/acme/campaigns/7/edit/pace", Place("acme", 7)),
        ("/acme/campaigns/7x", Place("acme", None)),
        ("/acme/campaigns/99999999999999999999", Place("acme", None)),
        ("/acme/contacts/7", Place("acme", None)),
        ("/", Place("", None)),
    ],
)
def test_an_address_names_the_organization_and_the_campaign(path: str, expected: Place) -> None:
    assert place(path) == expected

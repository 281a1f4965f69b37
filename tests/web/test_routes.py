"""What an address says of where one is."""

import pytest

from app.web.routes import PageAddress, place


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/acme/campaigns", PageAddress("acme", None)),
        ("/acme/campaigns/7/", PageAddress("acme", 7)),
        ("/acme/campaigns/7/edit/pace", PageAddress("acme", 7)),
        ("/acme/campaigns/7x", PageAddress("acme", None)),
        ("/acme/campaigns/99999999999999999999", PageAddress("acme", None)),
        ("/acme/contacts/7", PageAddress("acme", None)),
        ("/", PageAddress("", None)),
    ],
)
def test_an_address_names_the_organization_and_the_campaign(path: str, expected: PageAddress) -> None:
    assert place(path) == expected

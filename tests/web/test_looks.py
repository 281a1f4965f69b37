"""Every status has a look."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.campaign import CampaignStatus
from app.domain.recipient import RecipientStatus
from app.web.components.status import ATTEMPT_LOOKS, CAMPAIGN_LOOKS, DISPOSITION_LOOKS, RECIPIENT_LOOKS, Look


@pytest.mark.parametrize(
    ("looks", "words"),
    [
        (CAMPAIGN_LOOKS, CampaignStatus),
        (RECIPIENT_LOOKS, RecipientStatus),
        (ATTEMPT_LOOKS, AttemptStatus),
        (DISPOSITION_LOOKS, Disposition),
    ],
)
def test_every_word_has_a_look(looks: Mapping[str, Look], words: type[StrEnum]) -> None:
    assert set(looks) == {word.value for word in words}

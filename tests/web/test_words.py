"""What a campaign's pages say instead of the words of the machinery."""

import pytest

from app.domain.attempt import Disposition
from app.domain.campaign import CampaignStatus
from app.domain.gate import SKIPS
from app.domain.recipient import RecipientStatus
from app.providers.script import Reply
from app.services.campaigns.progress import all_counts
from app.web.pages.campaign.progress_presenter import progress
from app.web.recipient_words import REPLY_WORDS, reason_words


@pytest.mark.parametrize("reply", list(Reply))
def test_every_reply_has_words(reply: Reply) -> None:
    assert REPLY_WORDS[reply] != reply
    assert "_" not in REPLY_WORDS[reply]


@pytest.mark.parametrize("reason", [*Disposition, *sorted(SKIPS), "reserved", "sent", "misconfigured"])
def test_every_reason_of_the_engine_has_words(reason: str) -> None:
    assert " " in reason_words(reason)
    assert "_" not in reason_words(reason)


def test_a_reason_that_is_a_sentence_already_stays_one() -> None:
    assert reason_words("the campaign was cancelled") == "The campaign was cancelled"


def test_whoever_was_cancelled_or_skipped_is_not_shown_as_failed() -> None:
    counts = all_counts(
        {
            RecipientStatus.COMPLETED: 3,
            RecipientStatus.FAILED: 1,
            RecipientStatus.SKIPPED: 2,
            RecipientStatus.CANCELLED: 4,
        }
    )
    shown = progress(counts, CampaignStatus.CANCELLED)
    assert (shown.completed, shown.failed, shown.skipped, shown.left_out) == (3, 1, 2, 4)
    assert (shown.percent, shown.text) == (60, "6 of 10 processed, 4 cancelled")


def test_a_draft_with_somebody_who_must_not_be_contacted_has_done_nothing() -> None:
    counts = all_counts({RecipientStatus.PENDING: 28, RecipientStatus.SKIPPED: 1})
    shown = progress(counts, CampaignStatus.DRAFT)
    assert (shown.percent, shown.text) == (0, "0 of 29 processed")
    assert (shown.skipped, shown.left_out) == (0, 1)


@pytest.mark.parametrize("campaign", list(CampaignStatus))
@pytest.mark.parametrize("status", list(RecipientStatus))
def test_the_parts_of_the_bar_add_up_to_its_total(status: RecipientStatus, campaign: CampaignStatus) -> None:
    shown = progress(all_counts({status: 5}), campaign)
    parts = (
        shown.completed,
        shown.voicemail,
        shown.unanswered,
        shown.failed,
        shown.skipped,
        shown.left_out,
        shown.in_progress,
        shown.pending,
    )
    assert sum(parts) == shown.total == 5

"""One definition of every number, and the two dialects' roll-ups."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.attempt import Disposition
from app.domain.campaign import NOT_BEGUN, CampaignStatus
from app.domain.metrics import (
    PROCESSED,
    CallCounts,
    CampaignStanding,
    Cost,
    GuideStats,
    Metrics,
    NotConserved,
    Progress,
    StatusCounts,
    measure,
    percent,
    standing,
    total_cost,
    unit_price,
)
from app.domain.recipient import ENDED, RecipientStatus

S, D, C = RecipientStatus, Disposition, CampaignStatus
MIXED = StatusCounts(
    pending=10,
    in_progress=3,
    completed=40,
    failed=5,
    no_answer=20,
    busy=7,
    voicemail=9,
    skipped=4,
    cancelled=2,
)
ANY_COUNTS = st.builds(StatusCounts, **{status.value: st.integers(0, 999) for status in S})


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 0, 0.0),
        (5, 0, 0.0),
        (0, 7, 0.0),
        (1, 3, 33.3),
        (2, 3, 66.7),
        (1, 16, 6.3),
        (7, 7, 100.0),
        (1, 8, 12.5),
    ],
)
def test_rates_are_percent_with_one_decimal_and_nothing_of_nothing_is_zero(
    part: int, whole: int, expected: float
) -> None:
    assert percent(part, whole) == expected


def test_all_measures_of_a_campaign() -> None:
    calls = CallCounts.of(
        {D.ANSWERED: 41, D.VOICEMAIL: 9, D.NO_ANSWER: 50, D.BUSY: 12, D.CARRIER_ERROR: 6, D.REJECTED: 2},
        live=3,
        talk_seconds=41 * 142,
    )
    assert calls == CallCounts(made=123, finished=120, answered=41, voicemail=9, talk_seconds=5822)
    assert measure(MIXED, calls, ended_attempted=82, campaign=C.RUNNING) == Metrics(
        completion_rate=85.0,
        success_rate=48.8,
        answer_rate=40.7,
        human_answer_rate=33.3,
        call_success_rate=34.2,
        average_duration=142.0,
    )


def test_a_call_in_which_the_person_opted_out_is_an_answered_one() -> None:
    calls = CallCounts.of(
        {D.ANSWERED: 1, D.OPTED_OUT: 2, D.BUSY: 1}, opted_out_on_call=1, talk_seconds=60 + 20
    )
    assert (calls.made, calls.answered) == (4, 2)
    measures = measure(StatusCounts(completed=4), calls, ended_attempted=4, campaign=C.COMPLETED)
    assert (measures.answer_rate, measures.human_answer_rate, measures.average_duration) == (50.0, 50.0, 40.0)


def test_a_campaign_that_has_not_begun_measures_zero() -> None:
    assert measure(StatusCounts(skipped=1), CallCounts(), ended_attempted=0, campaign=C.DRAFT) == Metrics(
        completion_rate=0.0,
        success_rate=0.0,
        answer_rate=0.0,
        human_answer_rate=0.0,
        call_success_rate=0.0,
        average_duration=0.0,
    )


@pytest.mark.parametrize("campaign", sorted(NOT_BEGUN))
def test_nobody_is_processed_before_the_start(campaign: CampaignStatus) -> None:
    opted_out = StatusCounts(pending=28, skipped=1)
    assert standing(opted_out, campaign) == CampaignStanding(total=29, processed=0, cancelled=0, reached=0)
    assert standing(opted_out, C.QUEUED).processed == 1


def test_what_a_cancelled_campaign_did_not_do_is_not_done() -> None:
    counts = StatusCounts(completed=11, no_answer=4, failed=2, cancelled=14)
    far = standing(counts, C.CANCELLED)
    assert far == CampaignStanding(total=31, processed=17, cancelled=14, reached=11)
    assert far.completion_rate == 54.8
    assert measure(counts, CallCounts(), ended_attempted=17, campaign=C.CANCELLED).completion_rate == 54.8


@given(ANY_COUNTS, st.sampled_from(C))
def test_the_processed_the_cancelled_and_the_rest_add_up(
    counts: StatusCounts, campaign: CampaignStatus
) -> None:
    far = standing(counts, campaign)
    by_status = sum(counts.count(status) for status in PROCESSED) if campaign not in NOT_BEGUN else 0
    assert far.processed == by_status
    assert far.reached <= max(far.processed, counts.completed)
    assert far.processed + far.cancelled <= far.total == counts.total


def test_counts_come_from_rows_grouped_by_status() -> None:
    counts = StatusCounts.of({S.PENDING: 2, S.BUSY: 3})
    assert counts == StatusCounts(pending=2, busy=3)
    assert counts + StatusCounts(busy=1, completed=4) == StatusCounts(pending=2, busy=4, completed=4)


@pytest.mark.parametrize("status", S)
def test_each_status_is_counted_once(status: RecipientStatus) -> None:
    counts = StatusCounts.of({status: 1})
    assert (counts.count(status), counts.total, counts.ended) == (1, 1, int(status in ENDED))


def test_lost_recipients_are_noticed() -> None:
    MIXED.check(100)
    with pytest.raises(NotConserved, match="101 recipients, but 100 by status"):
        MIXED.check(101)


def test_the_progress_of_seed_000() -> None:
    assert MIXED.progress() == Progress(total_contacts=100, completed=49, failed=38, pending=10, processing=3)


def test_the_stats_of_the_guide() -> None:
    assert MIXED.guide() == GuideStats(
        total=100, pending=10, calling=3, completed=40, failed=11, no_answer=27, voicemail=9
    )


def test_the_guides_own_example_has_a_progress_of_36() -> None:
    example = StatusCounts(pending=87, in_progress=3, completed=48, failed=7, no_answer=4, voicemail=1)
    assert (example.total, example.guide().progress) == (150, 36)
    assert StatusCounts().guide().progress == 0


@given(ANY_COUNTS)
def test_every_roll_up_adds_up_to_the_total(counts: StatusCounts) -> None:
    progress, guide = counts.progress(), counts.guide()
    assert progress.completed + progress.failed + progress.pending + progress.processing == counts.total
    groups = (guide.pending, guide.calling, guide.completed, guide.failed, guide.no_answer, guide.voicemail)
    assert sum(groups) == guide.total == counts.total
    assert 0 <= guide.progress <= 100


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_a_share_is_within_a_twentieth_of_the_truth(part: int, whole: int) -> None:
    assert abs(percent(part, whole) - 100 * part / whole) <= 0.05 + 1e-9


def test_a_cost_is_marked_while_some_of_it_is_estimated() -> None:
    assert total_cost(priced=Decimal("1.20"), unpriced_estimate=Decimal(0), unit="USD") == Cost(
        Decimal("1.20"), "USD", estimated=False, known=Decimal("1.20")
    )
    assert total_cost(priced=Decimal("1.20"), unpriced_estimate=Decimal("0.03"), unit="USD") == Cost(
        Decimal("1.23"), "USD", estimated=True, known=Decimal("1.20")
    )


def test_what_has_no_price_yet_costs_as_much_as_what_has_one() -> None:
    list_price = Decimal("0.014")
    assert unit_price(priced=Decimal("0.06"), quantity=3, list_price=list_price) == Decimal("0.02")
    assert unit_price(priced=Decimal(0), quantity=0, list_price=list_price) == list_price

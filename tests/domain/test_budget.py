"""How many more attempts fit under a cap, whatever becomes of those in flight."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domain.budget import FREE, Spending, more_within, most_for
from app.domain.campaign import Channel


def _spending(ended: str = "0", *, live: int = 0, each: str = "0.14") -> Spending:
    return Spending(ended=Decimal(ended), live=live, each=Decimal(each), unit="USD")


def test_a_call_may_last_as_long_as_it_may() -> None:
    most = most_for(Channel.CALL, unit_price=Decimal("0.014"), longest_seconds=601, parts=0)
    assert most == Decimal("0.154")


def test_a_message_costs_its_parts() -> None:
    assert most_for(Channel.SMS, unit_price=Decimal("0.008"), longest_seconds=600, parts=3) == Decimal(
        "0.024"
    )
    assert most_for(Channel.SMS, unit_price=Decimal("0.008"), longest_seconds=600, parts=0) == Decimal(
        "0.008"
    )


def test_as_many_fit_as_the_rest_pays_in_full() -> None:
    assert more_within(Decimal(1), _spending()) == 7
    assert more_within(Decimal("1.40"), _spending()) == 10


def test_what_is_in_flight_is_set_aside() -> None:
    spending = _spending("0.40", live=3)
    assert spending.committed == Decimal("0.82")
    assert more_within(Decimal(1), spending) == 1


def test_nothing_fits_when_it_is_used_up_or_exceeded() -> None:
    assert more_within(Decimal(1), _spending("0.90")) == 0
    assert more_within(Decimal(1), _spending("1.40")) == 0


def test_what_costs_nothing_always_fits() -> None:
    assert more_within(Decimal(0), _spending(each="0")) == FREE
    assert more_within(Decimal(1), _spending("2", each="0")) == 0


_money = st.decimals(0, 1_000, places=3)


@given(_money, _money, st.integers(0, 1_000), st.decimals("0.001", 5, places=3))
def test_the_cap_holds_with_all_that_fit(cap: Decimal, ended: Decimal, live: int, each: Decimal) -> None:
    before = Spending(ended=ended, live=live, each=each, unit="USD")
    more = more_within(cap, before)
    after = Spending(ended=ended, live=live + more, each=each, unit="USD")
    assert more == 0 or after.committed <= cap
    assert more_within(cap, after) == 0

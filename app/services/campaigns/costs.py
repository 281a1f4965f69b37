"""The cost of a campaign: the carrier's prices, and our estimate where there is no price yet."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.attempt import LIVE, AttemptStatus
from app.domain.budget import Spending, most_for
from app.domain.campaign import Channel
from app.domain.metrics import Cost, total_cost, unit_price
from app.domain.sms import segments
from app.models import Attempt

LIST_PRICES: Final[Mapping[Channel, Decimal]] = {
    Channel.CALL: Decimal("0.0140"),
    Channel.SMS: Decimal("0.0083"),
}
"""Twilio's prices in the USA, in USD, for a begun minute and for a message part. Used until there is a price."""

CURRENCY: Final = "USD"
"""The currency of `LIST_PRICES`, used until the carrier names its own."""

COLUMNS: Final = """
    sum(price) AS priced, max(price_unit) AS unit, count(*) AS count,
    coalesce(sum((duration_seconds + 59) / 60) FILTER (WHERE price IS NULL), 0) AS unpriced_minutes,
    coalesce(sum((duration_seconds + 59) / 60) FILTER (WHERE price IS NOT NULL), 0) AS priced_minutes,
    coalesce(sum(parts) FILTER (WHERE price IS NULL AND placed_at IS NOT NULL), 0) AS unpriced_parts,
    coalesce(sum(parts) FILTER (WHERE price IS NOT NULL), 0) AS priced_parts,
    coalesce(max(parts), 0) AS parts
"""
"""The columns that a query of attempts must select for the functions here; it groups at least by status and channel."""

_ATTEMPTS: Final = text(
    f"""
    SELECT status, channel, {COLUMNS} FROM attempt WHERE campaign_id = :campaign_id GROUP BY status, channel
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)

_TEMPLATES: Final = text("SELECT sms_message_template FROM step WHERE campaign_id = :campaign_id")


async def read_spending(
    session: AsyncSession, campaign_id: int, channel: Channel, *, longest_seconds: int
) -> Spending:
    """Return what the campaign has cost so far, and what its attempts in flight may cost.

    `longest_seconds`: how long a call of it may last.
    """
    given = {"campaign_id": campaign_id}
    rows = await spending_rows(session, campaign_id)
    parts = 0
    if channel is Channel.SMS:
        templates = (await session.execute(_TEMPLATES, given)).scalars()
        parts = max((segments(template).parts for template in templates), default=0)
    return spending_of(rows, channel, longest_seconds=longest_seconds, parts=parts)


async def spending_rows(session: AsyncSession, campaign_id: int) -> Sequence[RowMapping]:
    """Return the rows for `spending_of`, of all runs of the campaign."""
    return (await session.execute(_ATTEMPTS, {"campaign_id": campaign_id})).mappings().all()


async def unit_prices(session: AsyncSession, attempts: Sequence[Attempt]) -> dict[Channel, Decimal]:
    """Return by channel the estimated price of a message part or a begun minute, for attempts of one campaign.

    Empty if all of the attempts have a price.
    """
    campaign_id = next((attempt.campaign_id for attempt in attempts if attempt.price is None), None)
    if campaign_id is None:
        return {}
    rows = await spending_rows(session, campaign_id)
    return {channel: unit_price_of(rows, channel) for channel in LIST_PRICES}


def cost_of(rows: Sequence[RowMapping]) -> Cost:
    """Return what the attempts cost."""
    # Attempts without a price are estimated at the average price of those that have one.
    estimates = (_unpriced(rows, channel, unit_price_of(rows, channel)) for channel in LIST_PRICES)
    return total_cost(
        priced=_priced(rows),
        unpriced_estimate=sum(estimates, Decimal(0)),
        unit=currency_of(rows),
    )


def spending_of(
    rows: Sequence[RowMapping], channel: Channel, *, longest_seconds: int, parts: int = 0
) -> Spending:
    """Return what ended attempts cost and what those in flight may cost.

    `longest_seconds`: how long a call may last. `parts`: the least number of parts of a message, for when none was
    sent yet.
    """
    live = [row for row in rows if AttemptStatus(row["status"]) in LIVE]
    unit = unit_price_of(rows, channel)
    ended = [row for row in rows if AttemptStatus(row["status"]) not in LIVE]
    return Spending(
        ended=_priced(ended) + _unpriced(ended, channel, unit),
        live=sum(row["count"] for row in live),
        each=most_for(
            channel,
            unit_price=unit,
            longest_seconds=longest_seconds,
            parts=max(parts, *(row["parts"] for row in rows), 1),
        ),
        unit=currency_of(rows) or CURRENCY,
    )


def unit_price_of(rows: Sequence[RowMapping], channel: Channel) -> Decimal:
    """Return the price of a message part, or of a begun minute of a call, in this campaign."""
    ours = [row for row in rows if row["channel"] == channel]
    counted = "priced_parts" if channel is Channel.SMS else "priced_minutes"
    quantity = sum(int(row[counted]) for row in ours)
    return unit_price(priced=_priced(ours), quantity=quantity, list_price=LIST_PRICES[channel])


def currency_of(rows: Sequence[RowMapping]) -> str | None:
    """Return the carrier's currency; None while there is no price yet."""
    return max((row["unit"] for row in rows if row["unit"]), default=None)


def _unpriced(rows: Sequence[RowMapping], channel: Channel, unit: Decimal) -> Decimal:
    ours = [row for row in rows if row["channel"] == channel]
    if channel is Channel.SMS:
        # A failed message was never sent, so it costs nothing.
        sent = [row for row in ours if AttemptStatus(row["status"]) is not AttemptStatus.FAILED]
        return unit * sum(int(row["unpriced_parts"]) for row in sent)
    return unit * sum(int(row["unpriced_minutes"]) for row in ours)


def _priced(rows: Sequence[RowMapping]) -> Decimal:
    return sum((abs(row["priced"] or 0) for row in rows), Decimal(0))

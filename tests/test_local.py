"""The embedded servers."""

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def test_the_database_speaks_utf_8_whatever_the_machine_speaks(session: AsyncSession) -> None:
    assert (await session.execute(text("SELECT upper('é')"))).scalar_one() == "É"


async def test_valkey_answers(redis: Redis) -> None:
    await redis.set("key", "value")
    assert await redis.get("key") == b"value"

"""The progress WebSocket of seed `000`: `/ws/campaigns/{id}/progress?token=API_KEY`."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, WebSocket, WebSocketDisconnect

from app.api.caller import admit, bearer, identify
from app.api.problems import NotIdentified, TooMany
from app.api.rate_limits import MOST_SOCKETS_OF_A_KEY
from app.api.v1.fields import RunNumber
from app.api.v1.progress_answers import progress_answer
from app.runtime.context import AppContext, get_context
from app.runtime.quotas import Full
from app.runtime.tasks import end_tasks
from app.services.campaigns.brief import campaign_brief
from app.services.campaigns.progress import campaign_snapshot
from app.services.campaigns.rows import shown_run
from app.services.errors import NotFound
from app.services.live_hub import Watched, watch

router = APIRouter()

log = logging.getLogger(__name__)

NO_KEY: Final = 4401
NO_CAMPAIGN: Final = 4404
TOO_MANY: Final = 4429
PING_SECONDS: Final = 20.0
RECHECK_SECONDS: Final = 30.0
"""How often a socket's key is checked again."""

Message = dict[str, Any]


@router.websocket("/ws/campaigns/{campaign_id}/progress")
async def progress(
    socket: WebSocket,
    campaign_id: str,
    context: Annotated[AppContext, Depends(get_context)],
    token: Annotated[str, Query(max_length=200)] = "",
    run: RunNumber = None,
) -> None:
    """Send the present progress of a run at once, then each change, at most four a second, and regular pings.

    Closes with 4401 if the key is unknown or gets revoked, with 4404 if there is no such campaign or run, and with 4429
    where a request would get 429, or if the key has too many open sockets.
    """
    await socket.accept()
    key = token or bearer(socket)
    try:
        principal = await admit(context, socket, key)
        async with context.database.session() as session:
            campaign = await campaign_brief(session, principal=principal, campaign_ref=campaign_id)
            await shown_run(session, campaign.id, run)
        watched = Watched(principal.organization_id, campaign.id, "progress", run=run)
        with context.quotas.holding("progress sockets", principal.key_id, most=MOST_SOCKETS_OF_A_KEY):
            await _serve(socket, _messages(context, watched, key))
        await socket.close(NO_CAMPAIGN, "The campaign was deleted.")
    except NotIdentified:
        await _close(socket, NO_KEY, "The API key is missing, unknown or revoked.")
    except NotFound:
        await _close(socket, NO_CAMPAIGN, "There is no such campaign.")
    except TooMany as refused:
        await _close(socket, TOO_MANY, str(refused))
    except Full:
        await _close(
            socket, TOO_MANY, f"This key has {MOST_SOCKETS_OF_A_KEY} sockets open already. Close one."
        )
    except (WebSocketDisconnect, RuntimeError):
        log.debug("live.socket_left", extra={"campaign_id": campaign_id})


async def _messages(context: AppContext, watched: Watched, key: str) -> AsyncIterator[Message]:
    """Yield each new state until the campaign is deleted. Raises `NotIdentified` once the key is revoked."""

    async def load() -> Message:
        return await _state(context, watched)

    async def check() -> None:
        await identify(context, key)

    async with aclosing(watch(watched, load, check=check, recheck=RECHECK_SECONDS)) as states:
        async for state in states:
            yield {"type": "progress_update", "data": state}


async def _state(context: AppContext, watched: Watched) -> Message:
    assert watched.campaign_id is not None
    async with context.database.session() as session:
        snapshot = await campaign_snapshot(
            session,
            organization_id=watched.organization_id,
            campaign_id=watched.campaign_id,
            now=context.clock.now(),
            run=watched.run,
        )
    return progress_answer(snapshot).model_dump(mode="json")


async def _serve(socket: WebSocket, messages: AsyncIterator[Message]) -> None:
    """Send the messages until they end or the client disconnects."""
    tasks = {
        asyncio.create_task(work)
        for work in (_send(socket, messages), _ping(socket), _until_disconnected(socket))
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await end_tasks(*tasks)


async def _send(socket: WebSocket, messages: AsyncIterator[Message]) -> None:
    async for message in messages:
        await socket.send_json(message)


async def _ping(socket: WebSocket) -> None:
    """Send regular pings, so that no proxy closes the connection of a quiet campaign."""
    while True:
        await asyncio.sleep(PING_SECONDS)
        await socket.send_json({"type": "ping"})


async def _until_disconnected(socket: WebSocket) -> None:
    """Read and ignore all messages of the client. Raises `WebSocketDisconnect` when it disconnects."""
    while (message := await socket.receive())["type"] == "websocket.receive":
        pass
    raise WebSocketDisconnect(message["code"])


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):
        await socket.close(code, reason)

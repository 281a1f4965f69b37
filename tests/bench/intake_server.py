"""The product's own API with one route more, that does nothing: what `granian` serves in the webhooks benchmark."""

from http import HTTPStatus

from fastapi import FastAPI, Response

from app.api.server import running_api as product


def app() -> FastAPI:
    """Return the application: what the ASGI server calls once in its worker process."""
    api = product()
    api.add_api_route("/bench/nothing", _nothing, methods=["POST"])
    return api


async def _nothing() -> Response:
    return Response(status_code=HTTPStatus.NO_CONTENT)

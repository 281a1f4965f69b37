"""The reference page of the API. It loads nothing from other hosts, so it works without the Internet."""

import importlib.util
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles

from app.api.headers import inline_scripts, page_policy

_ASSETS: Final = "/docs/assets"
_FAVICON: Final = Path(__file__).resolve().parents[2] / "assets" / "favicon.svg"


def install(rest: FastAPI) -> None:
    """Add `/docs` to an application, with the files that it loads."""
    rest.add_api_route("/docs", _page, include_in_schema=False)
    rest.add_api_route(
        "/docs/favicon.svg",
        lambda: FileResponse(_FAVICON, media_type="image/svg+xml"),
        include_in_schema=False,
    )
    # Found without importing the package that has the files of Swagger UI.
    package = importlib.util.find_spec("fastapi_offline")
    assert package is not None, "fastapi-offline is a dependency"
    rest.mount(_ASSETS, StaticFiles(directory=Path(package.origin or "").parent / "static"))


def _page(request: Request) -> HTMLResponse:
    root = request.scope.get("root_path", "")
    page = get_swagger_ui_html(
        openapi_url=f"{root}/openapi.json",
        title="Callsheet API",
        swagger_js_url=f"{root}{_ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{root}{_ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{root}/docs/favicon.svg",
    )
    page.headers["Content-Security-Policy"] = page_policy(inline_scripts(bytes(page.body).decode()))
    return page

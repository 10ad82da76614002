"""The HTTP side: who may come in, what can be asked, and pages that need no network."""

from collections.abc import Awaitable, Callable
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated, Any

import swagger_ui_bundle
from fastapi import FastAPI, Query, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from jack_ray.serving import predicting
from jack_ray.serving.access import Keeper, Names
from jack_ray.serving.body import Body
from jack_ray.serving.faults import RequestError
from jack_ray.serving.state import State

PAGE = Path(__file__).parent / "page"
_OPEN = ("/", "/health", "/openapi.json", "/docs")
_OPEN_BELOW = ("/page/", "/docs/")
"""What holds no data and is given to everybody."""
GONE = 499
"""What nginx calls a client that has left; nobody reads it."""
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
}
_INLINE = {"Content-Security-Policy": f"{_SAFE['Content-Security-Policy']}; script-src 'self' 'unsafe-inline'"}
"""The page of the interface starts itself by a script in it."""
_ERROR = {
    "type": "object",
    "properties": {
        "error": {"type": "object", "properties": {name: {"type": "string"} for name in ("what", "expected", "remedy")}}
    },
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": words, "content": {"application/json": {"schema": _ERROR}}}
    for status, words in {
        400: "The request cannot be understood.", 401: "No token, or another.", 404: "No such path.",
        408: "The upload is too slow.", 413: "Too large.", 415: "A kind of file that the model does not take.",
        422: "A file that cannot be read as what it is.", 429: "Too many requests at once.",
        503: "Starting, ending, or no replica lives.",
    }.items()
}  # fmt: skip


class Guarded:
    """An application behind its keeper; everything that needs no body is refused before one is read."""

    def __init__(self, app: ASGIApp, keeper: Keeper, names: Names) -> None:
        self._app = app
        self._keeper = keeper
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Called by the server for each request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        error = None
        if not self._names.allow(headers.get(b"host", b"")):
            error = RequestError(
                400, "a request for another host", "the name of this server", "Whoever serves it can set hosts=NAME."
            )
        elif not self._names.allow_page(headers.get(b"origin")):
            found = "a request from a page of another server"
            error = RequestError(400, found, "a page of this server", "Whoever serves it can set hosts=NAME.")
        elif not _is_open(scope["path"]) and not self._keeper.lets_in(headers.get(b"authorization", b"")):
            error = RequestError(
                401,
                "no token, or another one",
                "Authorization: Bearer TOKEN",
                "The server told where its token is.",
            )
        if error is None:
            await self._app(scope, receive, _with_headers(send))
            return
        await Body(scope, receive).throw_away()
        await refused(error)(scope, receive, _with_headers(send))


def _is_open(path: str) -> bool:
    return path in _OPEN or path.startswith(_OPEN_BELOW)


def _with_headers(send: Send) -> Send:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            known = {name for name, _ in message["headers"]}
            more = [(name.lower().encode(), value.encode()) for name, value in _SAFE.items()]
            message["headers"] = [*message["headers"], *(one for one in more if one[0] not in known)]
        await send(message)

    return sending


def refused(error: RequestError) -> Response:
    """The answer to a request that is refused."""
    return JSONResponse(error.body(), error.status, error.headers())


def app_of(state: State, keeper: Keeper, names: Names) -> ASGIApp:
    """The application of a server."""
    app = FastAPI(title=f"jack_ray: {state.name}", version=version_of("jack_ray"), docs_url=None, redoc_url=None)
    _add_handlers(app)
    _add_pages(app)
    _add_routes(app, state)
    return Guarded(app, keeper, names)


def _add_handlers(app: FastAPI) -> None:
    Handler = Callable[[Request, Any], Awaitable[Response]]  # noqa: N806

    async def told(_: Request, error: Any) -> Response:
        return refused(error)

    async def gone(_: Request, error: Any) -> Response:
        return PlainTextResponse("", GONE)

    async def unknown(request: Request, error: Any) -> Response:
        found = f"{request.method} {request.url.path[:100]}"
        return refused(RequestError(error.status_code, found, "what /docs lists"))

    async def not_understood(_: Request, error: Any) -> Response:
        return refused(RequestError(400, "a parameter that cannot be read", "timeline=true or timeline=false"))

    handlers: list[tuple[Any, Handler]] = [(RequestError, told), (ClientDisconnect, gone)]
    handlers += [(404, unknown), (405, unknown)]
    for kind, handler in handlers:
        app.add_exception_handler(kind, handler)
    from fastapi.exceptions import RequestValidationError

    app.add_exception_handler(RequestValidationError, not_understood)


def _add_pages(app: FastAPI) -> None:
    if PAGE.is_dir():
        app.mount("/page", StaticFiles(directory=PAGE))
    app.mount("/docs/files", StaticFiles(directory=swagger_ui_bundle.swagger_ui_path))

    @app.get("/", include_in_schema=False)
    async def index() -> Response:
        page = PAGE / "index.html"
        return FileResponse(page) if page.is_file() else RedirectResponse("/docs")

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> HTMLResponse:
        page = get_swagger_ui_html(
            openapi_url="/openapi.json", title=app.title, swagger_js_url="/docs/files/swagger-ui-bundle.js",
            swagger_css_url="/docs/files/swagger-ui.css", swagger_favicon_url="/docs/files/favicon-32x32.png",
        )  # fmt: skip
        page.headers.update(_INLINE)
        return page


def _add_routes(app: FastAPI, state: State) -> None:
    secured: dict[str, Any] = {"security": [{"token": []}]}

    @app.get("/health", summary="Whether it answers")
    async def health() -> Response:
        return JSONResponse(state.health(), 200 if state.status == "ok" else 503)

    @app.get("/metrics", summary="Counters for Prometheus", openapi_extra=secured, responses={401: _ERRORS[401]})
    async def metrics() -> Response:
        text = state.metrics.text(state.name, state.version, state.in_flight, state.replicas)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    @app.get("/v1/model", summary="What is served", openapi_extra=secured, responses={401: _ERRORS[401]})
    async def model() -> dict[str, Any]:
        return state.model()

    @app.post("/v1/predict", summary="Ask about a file", openapi_extra=_form(state) | secured, responses=_ERRORS)
    async def predict(
        request: Request, timeline: Annotated[bool, Query(description="how the answer changes over the video")] = True
    ) -> Response:
        return JSONResponse(await predicting.predict(state, request, timeline))

    schema = app.openapi()
    schema.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}


def _form(state: State) -> dict[str, Any]:
    """The body of a question, for the OpenAPI page."""
    fields = {
        name: {"type": "string", "format": "binary"} if kinds else {"type": "number"}
        for name, kinds in state.accepts.fields.items()
    }
    content: dict[str, Any] = {
        "multipart/form-data": {"schema": {"type": "object", "properties": fields, "required": list(fields)}}
    }
    if state.inputs is not None:
        path = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
        content["application/json"] = {"schema": path}
    return {"requestBody": {"required": True, "content": content}}

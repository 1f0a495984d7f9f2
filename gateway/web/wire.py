"""What the HTTP library would say by itself, in our words: to whoever sends what is no HTTP, and to the log about it."""

from __future__ import annotations

from aiohttp import web

from gateway import observe
from gateway.web.guard import wear
from gateway.web.parts import PARTS
from gateway.web.problems import sentence_of

__all__ = ["Complaints", "Runner"]


class Complaints:
    """Takes aiohttp's complaints about what is no HTTP. Its own would be errors with a traceback and the octets that were sent,
    and a mistyped Authorization header must not end up in a log."""

    def debug(self, text: str, *values: object, exc_info: BaseException | None = None) -> None:
        if exc_info is not None:
            observe.log("wire_broken", error=type(exc_info).__name__)

    info = warning = error = exception = debug


class Runner(web.AppRunner):
    """Runs the application on connections that answer for themselves with `_Connection`."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made, self.app)


class _Server(web.Server):
    """The library's, with connections of our kind. It has no public place to say of which kind they are."""

    def __init__(self, made: web.Server, app: web.Application) -> None:
        super().__init__(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=made._loop,
            **made._kwargs,
        )
        self.app = app

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    """A connection whose errors are a fixed sentence under the headers of every other answer.

    The library's own quote the octets that were sent, and name it with its version.
    """

    __slots__ = ("_app",)

    def __init__(self, server: _Server, **kwargs: object) -> None:
        super().__init__(server, **kwargs)  # type: ignore[arg-type]  # as the library passes them
        self._app = server.app

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        super().handle_error(request, status, exc, "")  # which notes it, and raises when half an answer is out already
        observe.request_done("none", request.method, status, 0.0)
        response = web.Response(status=status, text=f"{sentence_of(status)}\n", content_type="text/plain")
        response.headers["Cache-Control"] = "no-store"
        wear(response, self._app[PARTS])
        response.force_close()
        return response

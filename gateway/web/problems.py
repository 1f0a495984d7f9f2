"""What goes wrong, said to a person or a program: every error becomes a status and one sentence, never a traceback."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from gateway.errors import Conflict, GatewayError, Invalid, Missing, Refused, TooLarge, Unavailable
from gateway.web.languages import chosen, marked

PROBLEM_TYPE = "application/problem+json"

LANGUAGE = web.RequestKey("language", str)
"""The language of whoever asks, once it is known; before that the browser's word counts."""

_SENTENCES = {
    400: "The request is not understood.",
    401: "Please say who you are.",
    404: "There is nothing at this address.",
    405: "That cannot be done with this address.",
    408: "The request took too long to arrive.",
    413: "The request is too large.",
    415: "The request is in a format that is not understood here.",
    500: "Something went wrong here. It has been noted; please try again later.",
}

_TITLES = {
    400: marked("Not understood"),
    401: marked("Please sign in"),
    403: marked("Not allowed"),
    404: marked("Not found"),
    405: marked("Not possible here"),
    408: marked("Too slow"),
    409: marked("Not possible now"),
    410: marked("No longer valid"),
    413: marked("Too large"),
    415: marked("Not understood"),
    422: marked("Not accepted"),
    429: marked("Too many attempts"),
    500: marked("Something went wrong"),
    503: marked("Not available now"),
}


def sentence_of(status: int) -> str:
    """What a status means, for those who know no more than that."""
    return _SENTENCES.get(status, f"{HTTPStatus(status).phrase}.")


class Problem(Exception):
    """A request that a door turns down by itself. `members` are added to problem+json (RFC 9457 §3.2)."""

    def __init__(self, status: int, sentence: str, *, headers: Mapping[str, str] | None = None, **members: object) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = dict(headers or {})
        self.members = members


def problem_of(error: BaseException) -> Problem:
    """The one table from errors to HTTP (RFC 9110 §15; 409 with a reason code is contract.md §4's answer to a conflict)."""
    match error:
        case Problem():
            return error
        case Refused():
            return Problem(409, error.detail, type=f"/api/docs#{error.reason}", reason=str(error.reason), data=error.data)
        case Invalid():
            if error.field is None:
                return Problem(422, str(error))
            return Problem(422, str(error), errors=[{"field": error.field, "detail": str(error)}])
        case Missing():
            return Problem(404, str(error))
        case Conflict():
            return Problem(409 if error.condition else 412, str(error))
        case TooLarge():
            return Problem(413, str(error), limit=error.limit)
        case Unavailable():
            return Problem(503, str(error), headers={"Retry-After": str(error.retry_after)})
        case web.HTTPException():
            kept = {name: error.headers[name] for name in ("Allow", "Location", "Retry-After") if name in error.headers}
            return Problem(error.status, _SENTENCES.get(error.status, f"{error.reason}."), headers=kept)
        case TimeoutError():
            return Problem(408, _SENTENCES[408])
        case _:
            return Problem(500, _SENTENCES[500])


def expected(error: BaseException) -> bool:
    """Whether the error is the client's affair, or a state the gateway foresees; others are noted with their traceback."""
    return isinstance(error, Problem | GatewayError | web.HTTPException | TimeoutError)


def answer(request: web.Request, problem: Problem, request_id: str) -> web.Response:
    """The problem as the client reads it best: problem+json for programs, a page for browsers, a plain sentence for others."""
    title = HTTPStatus(problem.status).phrase
    if request.path.startswith("/api/"):
        known = {"type": "about:blank", "title": title, "status": problem.status, "detail": problem.sentence}
        body = json.dumps(known | problem.members | {"request_id": request_id}, ensure_ascii=False)
        return web.Response(status=problem.status, text=body, content_type=PROBLEM_TYPE, headers=problem.headers)
    if "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/feeds/"):
        said = chosen(request.get(LANGUAGE, ""), request.headers.get("Accept-Language", ""))
        title = said.say(_TITLES.get(problem.status, title))
        page = said.page("problem.html", title=title, sentence=said.heard(problem.sentence), request_id=request_id)
        return web.Response(status=problem.status, text=page, content_type="text/html", headers=problem.headers)
    return web.Response(status=problem.status, text=problem.sentence + "\n", content_type="text/plain", headers=problem.headers)

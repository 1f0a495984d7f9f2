"""Every error on the wire of CalDAV: one table from errors to status and DAV:error body (RFC 4918 §16, RFC 4791 §1.3)."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.errors import Conflict, GatewayError, Invalid, Missing, Refused, TooLarge, Unavailable
from plugins.multistatus import CALDAV, CONTENT_TYPE, DAV, GATEWAY, error, href
from plugins.request import Answer

_OF_DAV = frozenset(
    {
        "valid-sync-token",
        "number-of-matches-within-limits",
        "need-privileges",
        "resource-must-be-null",
        "supported-report",
        "propfind-finite-depth",
        "cannot-modify-protected-property",
        "sync-traversal-supported",
    }
)


class Denied(Exception):
    """What this door turns down by itself. `condition` is the local name of a precondition."""

    def __init__(self, status: int, sentence: str, *, condition: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.condition = condition
        self.headers = dict(headers or {})


def read_only(sentence: str = "This calendar can only be read.") -> Denied:
    return Denied(403, sentence, condition="need-privileges")


def qualified(condition: str | None) -> str | None:
    """The Clark name of a precondition, whose namespace depends on the RFC it comes from."""
    if condition is None:
        return None
    return f"{{{DAV if condition in _OF_DAV else CALDAV}}}{condition}"


def expected(problem: BaseException) -> bool:
    """Whether it is the client's affair or a state the gateway foresees; anything else is noted with its traceback."""
    return isinstance(problem, GatewayError | Denied)


def answer_to(problem: BaseException, parent: str) -> Answer:
    """The answer to a request that ended in this error. `parent` is the address, without the slash, beside which Conflict's href lies."""
    match problem:
        case Denied():
            return _answer(problem.status, qualified(problem.condition), str(problem), problem.headers)
        case Refused():
            return _answer(403, f"{{{GATEWAY}}}{problem.reason}", problem.detail)
        case Invalid():
            return _answer(403 if problem.condition else 400, qualified(problem.condition), str(problem))
        case Missing():
            return _answer(404, None, str(problem))
        case Conflict():
            at = f"{parent}/{href(problem.href)}" if problem.href else None
            return _answer(403 if problem.condition else 412, qualified(problem.condition), str(problem), at=at)
        case TooLarge():
            return _answer(403 if problem.condition else 413, qualified(problem.condition), str(problem))
        case Unavailable():
            return _answer(503, None, str(problem), {"Retry-After": str(problem.retry_after)})
        case _:
            return _answer(500, None, "Something went wrong here. It has been noted; please try again later.")


def _answer(
    status: int, condition: str | None, sentence: str, headers: Mapping[str, str] | None = None, *, at: str | None = None
) -> Answer:
    return Answer(status, error(condition, sentence, at=at), {"Content-Type": CONTENT_TYPE, **(headers or {})})

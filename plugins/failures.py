"""Every error on the wire of CalDAV: one table from errors to status and DAV:error body (RFC 4918 §16, RFC 4791 §1.3)."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.errors import Conflict, GatewayError, Invalid, Missing, Refused, TooLarge, Unavailable
from plugins.multistatus import CALDAV, CONTENT_TYPE, DAV, GATEWAY, PUSH, empty, error, href, link
from plugins.request import Answer

CONDITIONS: Mapping[str, str] = {
    # RFC 4918 §16
    "cannot-modify-protected-property": DAV,
    "no-external-entities": DAV,
    "propfind-finite-depth": DAV,
    # RFC 3253 §3.6
    "supported-report": DAV,
    # RFC 3744 §7.1.1, §9.4 (and RFC 4791 §7.8, RFC 6578 §3.6)
    "need-privileges": DAV,
    "recognized-principal": DAV,
    "number-of-matches-within-limits": DAV,
    # RFC 5689 §3.3
    "valid-resourcetype": DAV,
    # RFC 6578 §3.2, §3.3
    "sync-traversal-supported": DAV,
    "valid-sync-token": DAV,
    # RFC 4791 §5.3.1.2 (MKCALENDAR), §5.3.2.1 (PUT, COPY, MOVE), §7.8 (calendar-query and its kin)
    "resource-must-be-null": DAV,
    "calendar-collection-location-ok": CALDAV,
    "supported-calendar-data": CALDAV,
    "valid-calendar-data": CALDAV,
    "valid-calendar-object-resource": CALDAV,
    "supported-calendar-component": CALDAV,
    "no-uid-conflict": CALDAV,
    "max-resource-size": CALDAV,
    "min-date-time": CALDAV,
    "max-date-time": CALDAV,
    "max-instances": CALDAV,
    "max-attendees-per-instance": CALDAV,
    "valid-filter": CALDAV,
    "supported-filter": CALDAV,
    "supported-collation": CALDAV,
    # RFC 7809 §5.1
    "valid-timezone": CALDAV,
    # RFC 6638 §5.2 (POST to an outbox)
    "valid-scheduling-message": CALDAV,
    "valid-organizer": CALDAV,
    # RFC 7529 §4.3
    "supported-rscale": CALDAV,
    # draft-bitfire-webdav-push §3.1.3
    "invalid-subscription": PUSH,
    "push-not-available": PUSH,
    "no-supported-trigger": PUSH,
}
"""Every precondition that can be broken here, and the namespace of the RFC it comes from."""


class Denied(Exception):
    """What this door turns down by itself. `condition` is the local name of a precondition, `inside` what its element holds."""

    def __init__(
        self, status: int, sentence: str, *, condition: str | None = None, inside: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.condition = condition
        self.inside = inside
        self.headers = dict(headers or {})


class Unprivileged(Denied):
    """Who may not. `at` is the resource, percent-encoded ("": the one asked), `privilege` what is missing there (RFC 3744 §7.1.1)."""

    def __init__(self, sentence: str, at: str, privilege: str) -> None:
        super().__init__(403, sentence, condition="need-privileges")
        self.at = at
        self.privilege = privilege


def read_only(sentence: str = "This calendar can only be read.", *, at: str = "", privilege: str = "write") -> Unprivileged:
    """`privilege` is one of DAV's, by its local name."""
    return Unprivileged(sentence, at, f"{{{DAV}}}{privilege}")


def qualified(condition: str | None) -> str | None:
    """The Clark name of a precondition, whose namespace depends on the RFC it comes from."""
    return None if condition is None else f"{{{CONDITIONS.get(condition, CALDAV)}}}{condition}"


def expected(problem: BaseException) -> bool:
    """Whether it is the client's affair or a state the gateway foresees; anything else is noted with its traceback."""
    return isinstance(problem, GatewayError | Denied)


def answer_to(problem: BaseException, at: str) -> Answer:
    """The answer to a request for `at`, percent-encoded, that ended in this error. Conflict's href lies beside it."""
    match problem:
        case Unprivileged():
            needed = f"{link(problem.at or at)}<D:privilege>{empty(problem.privilege)}</D:privilege>"
            return _answer(403, qualified(problem.condition), str(problem), inside=f"<D:resource>{needed}</D:resource>")
        case Denied():
            return _answer(problem.status, qualified(problem.condition), str(problem), problem.headers, inside=problem.inside)
        case Refused():
            return _answer(403, f"{{{GATEWAY}}}{problem.reason}", problem.detail)
        case Invalid():
            bad = problem.condition in (None, "no-external-entities")  # a request that is unsound, not one that may not be
            return _answer(400 if bad else 403, qualified(problem.condition), str(problem))
        case Missing():
            return _answer(404, None, str(problem))
        case Conflict():
            beside = link(f"{at.rpartition('/')[0]}/{href(problem.href)}") if problem.href else ""
            return _answer(403 if problem.condition else 412, qualified(problem.condition), str(problem), inside=beside)
        case TooLarge():
            return _answer(403 if problem.condition else 413, qualified(problem.condition), str(problem))
        case Unavailable():
            return _answer(503, None, str(problem), {"Retry-After": str(problem.retry_after)})
        case _:
            return _answer(500, None, "Something went wrong here. It has been noted; please try again later.")


def _answer(status: int, condition: str | None, sentence: str, headers: Mapping[str, str] | None = None, *, inside: str = "") -> Answer:
    return Answer(status, error(condition, sentence, inside=inside), {"Content-Type": CONTENT_TYPE, **(headers or {})})

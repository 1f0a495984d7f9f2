"""Google's errors: a status, a reason in a domain, a sentence."""

from __future__ import annotations

from gateway.fakes.wire import Json, Rejected, Reply

QUOTA = {
    "rateLimitExceeded": "Rate Limit Exceeded",
    "userRateLimitExceeded": "User Rate Limit Exceeded",
    "quotaExceeded": "Calendar usage limits exceeded.",
    "dailyLimitExceeded": "Daily Limit Exceeded",
}
_SENTENCES = {
    400: ("global", "badRequest", "Bad Request"),
    401: ("global", "authError", "Invalid Credentials"),
    403: ("global", "forbidden", "Forbidden"),
    404: ("global", "notFound", "Not Found"),
    405: ("global", "httpMethodNotAllowed", "Method Not Allowed"),
    409: ("global", "duplicate", "The requested identifier already exists."),
    410: ("calendar", "fullSyncRequired", "Sync token is no longer valid, a full sync is required."),
    412: ("global", "conditionNotMet", "Precondition Failed"),
    429: ("usageLimits", "rateLimitExceeded", "Rate Limit Exceeded"),
    500: ("global", "backendError", "Backend Error"),
    503: ("global", "backendError", "Backend Error"),
    504: ("global", "backendError", "Deadline exceeded"),
}
_KINDS = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED"}


def reply(status: int, reason: str = "", message: str = "", *, domain: str = "", place: str = "", kind: str = "parameter") -> Reply:
    """The error body. What is not given is what Google usually says for the status; `place` is the parameter or header at fault."""
    usual = _SENTENCES.get(status, ("global", "backendError", "Backend Error"))
    if reason in QUOTA:
        domain, message = "usageLimits", message or QUOTA[reason]
    error: Json = {"domain": domain or usual[0], "reason": reason or usual[1], "message": message or usual[2]}
    if place:
        error |= {"locationType": kind, "location": place}
    body: Json = {"errors": [error], "code": status, "message": error["message"]}
    if error["reason"] in ("authError", "insufficientPermissions"):
        body["status"] = _KINDS[status]
    return Reply.of({"error": body}, status)


def problem(status: int, reason: str = "", message: str = "", *, domain: str = "", place: str = "", kind: str = "parameter") -> Rejected:
    return Rejected(reply(status, reason, message, domain=domain, place=place, kind=kind))


def invalid(message: str = "Invalid Value", place: str = "") -> Rejected:
    return problem(400, "invalid", message, place=place)


def required(message: str) -> Rejected:
    return problem(400, "required", message)


def empty_range() -> Rejected:
    return problem(400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar", place="timeMax")


def gone() -> Rejected:
    return problem(410, "fullSyncRequired", place="syncToken")

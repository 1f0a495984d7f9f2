"""Graph's errors: a status, a code, a sentence, and where they were made."""

from __future__ import annotations

from gateway.fakes.wire import Json, Rejected, Reply

_USUAL = {
    400: ("ErrorInvalidRequest", "Your request can't be completed."),
    401: ("InvalidAuthenticationToken", "Access token is empty."),
    403: ("ErrorAccessDenied", "Access is denied. Check credentials and try again."),
    404: ("ErrorItemNotFound", "The specified object was not found in the store."),
    405: ("Request_BadRequest", "Specified HTTP method is not allowed for the request target."),
    409: ("ErrorIrresolvableConflict", "The send or update operation could not be performed."),
    410: ("resyncRequired", "Resync required. Replace any local items with the server's version."),
    412: (
        "ErrorIrresolvableConflict",
        "The send or update operation could not be performed because the change key passed in the request does not match the current one.",
    ),
    429: ("ApplicationThrottled", "Application is over its MailboxConcurrency limit."),
    500: ("ErrorInternalServerError", "An internal server error occurred. The operation failed."),
    503: ("ErrorServerBusy", "The server cannot service this request right now. Try again later."),
    504: ("UnknownError", "Gateway Timeout"),
}
_CODED = {"MailboxConcurrency": ("ApplicationThrottled", "Application is over its MailboxConcurrency limit.")}

RETRY_AFTER = 10  # seconds


def reply(status: int, code: str = "", message: str = "", **headers: str) -> Reply:
    """The error body. What is not given is what Graph usually says for the status."""
    usual = _USUAL.get(status, _USUAL[500])
    if code in _CODED:
        code, message = _CODED[code]
    inner: Json = {"date": "1970-01-01T00:00:00", "request-id": "00000000-0000-0000-0000-000000000000"}
    error: Json = {"code": code or usual[0], "message": message or usual[1], "innerError": inner}
    if status in (429, 503):
        headers.setdefault("Retry_After", str(RETRY_AFTER))
    return Reply.of({"error": error}, status, **headers)


def problem(status: int, code: str = "", message: str = "", **headers: str) -> Rejected:
    return Rejected(reply(status, code, message, **headers))


def invalid(message: str = "At least one property failed validation.") -> Rejected:
    return problem(400, "ErrorPropertyValidationFailure", message)


def unreadable(message: str) -> Rejected:
    return problem(400, "RequestBodyRead", message)


def bad_query(message: str) -> Rejected:
    return problem(400, "ErrorInvalidUrlQuery", message)

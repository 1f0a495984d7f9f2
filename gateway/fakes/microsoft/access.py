"""Who calls Graph: a person's client, or an application of its own; and which mailbox it may enter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from gateway.fakes.microsoft.problems import problem
from gateway.fakes.microsoft.state import Mailbox, MicrosoftWorld
from gateway.fakes.wire import Request

WINDOW = timedelta(minutes=1)

READ = ("Calendars.Read", "Calendars.ReadWrite", "Calendars.ReadBasic")
WRITE = ("Calendars.ReadWrite",)
PROFILE = ("User.Read", "User.ReadWrite", "User.ReadBasic.All", "User.Read.All")


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """`login` is None for an application without a person."""

    login: str | None
    client: str
    tenant: str
    scopes: tuple[str, ...]


def caller(world: MicrosoftWorld, request: Request) -> Caller:
    """Raises Rejected: 401 without a living token, 429 beyond the quota."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise problem(401)
    found = world.access.get(token)
    if found is None:
        raise problem(401, "InvalidAuthenticationToken", "IDX14100: JWT is not well formed.")
    if found.until <= world.now:
        raise problem(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
    if found.grant is not None and found.grant.ended:
        raise problem(401, "InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge.")
    login = found.grant.login if found.grant else None
    if not world.within(login or found.client, world.knobs.quota, WINDOW):
        raise problem(429)
    return Caller(login=login, client=found.client, tenant=found.tenant, scopes=found.scopes)


def mailbox(world: MicrosoftWorld, asking: Caller, whose: str, scopes: tuple[str, ...]) -> Mailbox:
    """The mailbox of "me", or of a user by id or address. Raises Rejected: 400, 403, 404."""
    if not set(scopes) & set(asking.scopes):
        raise problem(403)
    if whose == "me":
        if asking.login is None:
            raise problem(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        return world.mailboxes[asking.login]
    found = next((each for each in world.mailboxes.values() if whose.lower() in (each.login.lower(), each.oid)), None)
    if found is None or found.tenant != asking.tenant:
        raise problem(404, "ErrorInvalidUser", f"The requested user '{whose}' is invalid.")
    if asking.login is not None and found.login != asking.login:
        raise problem(403)
    allowed = world.knobs.app_mailboxes
    if asking.login is None and (found.personal or (allowed and found.login not in allowed)):
        raise problem(403, "ErrorAccessDenied", "Access to OData is disabled: the application is not allowed to enter this mailbox.")
    return found

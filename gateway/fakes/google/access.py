"""Who calls, and what the consent behind the token lets the caller touch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from gateway.fakes.google.problems import QUOTA, problem
from gateway.fakes.google.scopes import Reach, reach
from gateway.fakes.google.state import Calendar, GoogleWorld
from gateway.fakes.wire import Request

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """A client with a person's consent."""

    login: str
    client: str
    scopes: tuple[str, ...]


def caller(world: GoogleWorld, request: Request) -> Caller:
    """Who the access token stands for. Raises Rejected: 401 without a living one, 403 or 429 beyond the quota."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    access = world.access.get(token) if scheme.lower() == "bearer" else None
    if access is None or access.until <= world.now or access.grant.ended:
        raise problem(401, place="Authorization", kind="header")
    knobs, grant = world.knobs, access.grant
    if not world.within(grant.login, knobs.quota, MINUTE):
        raise problem(knobs.quota_status, knobs.quota_reason, QUOTA.get(knobs.quota_reason, ""), domain="usageLimits")
    return Caller(login=grant.login, client=grant.client, scopes=grant.scopes)


def allowed(asking: Caller, method: str) -> Reach:
    """How far the consent reaches. Raises Rejected with 403 when it does not cover the method at all."""
    found = reach(method, asking.scopes)
    if found is Reach.NONE:
        raise problem(403, "insufficientPermissions", "Request had insufficient authentication scopes.")
    return found


def calendar(world: GoogleWorld, asking: Caller, method: str, name: str) -> Calendar:
    """The calendar of that id ("primary" is the caller's own). Raises Rejected: 403 beyond the consent, 404 when there is none."""
    far = allowed(asking, method)
    found = world.calendars.get(asking.login if name == "primary" else name)
    if found is None or found.deleted or found.owner != asking.login:
        raise problem(404)
    if far is Reach.CREATED and found.by != asking.client:
        raise problem(403, "insufficientPermissions", "The app may only touch calendars it has created.")
    return found

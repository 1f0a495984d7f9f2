"""The pages people sign in to: one table of routes makes addresses, roles and checks; each page is a plain function.

frame      a request as pages see it, and everything they have in common
sayings    what a page says after a form was sent (in which language: gateway.web.languages)
sign_in    sessions and passwords; identity  the company's identity provider; account  everybody's own
sync       the page Calendar Sync; feeds  one feed of it; targets  addresses by which other programs subscribe; health  how all links stand
operation  how the installation runs
staff      the staff and each member; me  a member's own page; external  whose busy times block a member
calendars  which of an account's calendars show the appointments, and which block
groups     groups of staff; services  what can be booked; activity  what happened, and undoing it; deeds  in which words
questions  what a staff member is asked about an edit in a calendar; waiting  that, and events elsewhere that are not equal
trial      a test appointment; guest  who holds an invitation; landing  where it leads
customer   a customer's page of an appointment; holding  what it is about; tidings  what the staff hear of it
invite     inviting a staff member; wording  the letter in somebody's own words
"""

from __future__ import annotations

from aiohttp import web

from gateway.web.site import (
    account,
    activity,
    calendars,
    customer,
    external,
    feeds,
    frame,
    groups,
    identity,
    invite,
    landing,
    me,
    operation,
    questions,
    services,
    sign_in,
    staff,
    sync,
    trial,
    waiting,
)
from gateway.web.site.frame import Route

TABLE: tuple[Route, ...] = (
    *sign_in.ROUTES,
    *identity.ROUTES,
    *account.ROUTES,
    *sync.ROUTES,
    *feeds.ROUTES,
    *invite.ROUTES,
    *groups.ROUTES,
    *services.ROUTES,
    *activity.ROUTES,
    *staff.ROUTES,
    *external.ROUTES,
    *me.ROUTES,
    *landing.ROUTES,
    *calendars.ROUTES,
    *operation.ROUTES,
    *questions.ROUTES,
    *waiting.ROUTES,
    *trial.ROUTES,
    *customer.ROUTES,
)


def routes() -> list[web.RouteDef]:
    return frame.routes(TABLE)

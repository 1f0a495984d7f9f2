"""The pages people sign in to: one table of routes makes addresses, roles and checks; each page is a plain function.

frame      a request as pages see it, and everything they have in common
languages  sentences, dates and numbers in the reader's language; sayings  what a page says after a form was sent
sign_in    sessions and passwords; account  everybody's own
"""

from __future__ import annotations

from aiohttp import web

from gateway.web.site import account, frame, sign_in
from gateway.web.site.frame import Route

TABLE: tuple[Route, ...] = (*sign_in.ROUTES, *account.ROUTES)


def routes() -> list[web.RouteDef]:
    return frame.routes(TABLE)

"""REST for the booking platform: one table of operations, from which routes, checks and the OpenAPI document are made."""

from __future__ import annotations

from aiohttp import web

from gateway.errors import Reason
from gateway.web.api import appointments, blocking, changes, company, devices, links, people, status
from gateway.web.api.frame import Operation, handler
from gateway.web.api.openapi import document
from gateway.web.paper import render
from gateway.web.parts import parts

OPERATIONS: list[Operation] = [
    *appointments.OPERATIONS,
    *people.OPERATIONS,
    *devices.OPERATIONS,
    *changes.OPERATIONS,
    *company.OPERATIONS,
    *links.OPERATIONS,
    *blocking.OPERATIONS,
    *status.OPERATIONS,
]


def routes() -> list[web.RouteDef]:
    return [
        *(web.route(each.method, f"/api/v1{each.path}", handler(each)) for each in OPERATIONS),
        web.get("/api/openapi.json", _openapi),
        web.get("/api/docs", _docs),
    ]


async def _openapi(request: web.Request) -> web.Response:
    return web.json_response(document(OPERATIONS, parts(request).public_url), headers={"Cache-Control": "public, max-age=300"})


async def _docs(request: web.Request) -> web.Response:
    described = document(OPERATIONS, parts(request).public_url)
    page = render("docs.html", api=described, reasons=list(Reason))
    return web.Response(text=page, content_type="text/html", headers={"Cache-Control": "public, max-age=300"})

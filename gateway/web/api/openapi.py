"""The REST resources described for programs: OpenAPI 3.1, made from the same table as the routes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gateway.errors import Reason
from gateway.web.api.frame import Json, Operation
from gateway.web.api.schema import Field, Listed, Maybe, Record

_PROBLEMS = {
    "400": "The request is not understood",
    "401": "No valid API key",
    "403": "The API key may only read",
    "404": "There is no such thing, or it is another company's",
    "409": "The rules of the trade say no; `reason` says why",
    "412": "If-Match names a state that is gone",
    "413": "The body is too large",
    "415": "The body is not JSON",
    "422": "The body does not fit; `errors` says where. Or the Idempotency-Key was used with another request",
    "428": "If-Match is missing",
    "429": "Too many wrong API keys came from this address; Retry-After says when to come again",
    "503": "The database is busy; Retry-After says when to come again",
}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence for a person"},
        "reason": {"type": "string", "enum": [str(reason) for reason in Reason]},
        "data": {"type": "object", "additionalProperties": {"type": "string"}},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "limit": {"type": "string"},
        "request_id": {"type": "string", "description": "Names the request in the gateway's log"},
    },
}


def document(operations: Iterable[Operation], public_url: str) -> Json:
    """The whole OpenAPI document."""
    paths: dict[str, Json] = {}
    schemas: dict[str, Json] = {"Problem": _PROBLEM}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
        for record in (operation.answer, operation.body):
            if record is not None:
                schemas |= {each.name: each.whole() for each in _named(record)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Calendar gateway",
            "version": "1",
            "description": "The booking platform's door. Times are RFC 3339 with an offset, ids are opaque, unknown names are refused.",
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        },
        "servers": [{"url": f"{public_url}/api/v1"}],
        "security": [{"key": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "`gateway api-key add`"}},
            "responses": {status: _problem(words) for status, words in _PROBLEMS.items()},
        },
    }


def _operation(operation: Operation) -> Json:
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": list(_parameters(operation)),
        "responses": {str(operation.status): _answer(operation)}
        | {status: {"$ref": f"#/components/responses/{status}"} for status in _may_fail(operation)},
    }
    if operation.about:
        described["description"] = operation.about
    if operation.body is not None:
        content = {"application/json": {"schema": operation.body.document()}}
        described["requestBody"] = {"required": not operation.body_optional, "content": content}
    return described


def _answer(operation: Operation) -> Json:
    headers: Json = {}
    if "etag" in operation.answer.fields:
        headers["ETag"] = {"schema": {"type": "string"}}
    if operation.status == 201:
        headers["Location"] = {"schema": {"type": "string", "format": "uri-reference"}}
    answer: Json = {"description": operation.summary, "content": {"application/json": {"schema": operation.answer.document()}}}
    return answer | ({"headers": headers} if headers else {})


def _problem(words: str) -> Json:
    return {"description": words, "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _parameters(operation: Operation) -> Iterator[Json]:
    for name in re.findall(r"{(\w+)}", operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for name, kind in operation.query.items():
        yield {"name": name, "in": "query", "required": name in operation.required_query, "schema": kind.document()}
    if operation.if_match:
        yield {"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}}
    if operation.remembered:
        words = "The same key and body again: the first answer again, and nothing is done twice"
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": words,
            "schema": {"type": "string", "maxLength": 255},
        }


def _may_fail(operation: Operation) -> list[str]:
    fails = {"400", "401", "429", "503"}
    if "{" in operation.path or "staff" in operation.query:
        fails.add("404")
    if operation.writes:
        fails |= {"403", "413", "415", "422"} if operation.body else {"403"}
    if operation.remembered:
        fails.add("422")
    if operation.reasons:
        fails.add("409")
    if operation.if_match:
        fails |= {"412", "428"}
    return sorted(fails)


def _named(kind: Field) -> Iterator[Record]:
    """The records with names of their own that a field is made of."""
    match kind:
        case Record():
            if kind.name:
                yield kind
            for inner in kind.fields.values():
                yield from _named(inner)
        case Listed() | Maybe():
            yield from _named(kind.of)
        case _:
            return

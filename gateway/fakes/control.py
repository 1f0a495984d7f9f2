"""The control addresses (contract.md §6): what a person does in the provider's own pages, and what a test wants to go wrong."""

from __future__ import annotations

import json
from dataclasses import asdict

from gateway.errors import GatewayError
from gateway.fakes.faults import Fault
from gateway.fakes.provider import Provider
from gateway.fakes.wire import Json, Rejected, Reply, Request

PREFIX = "/control"

READS = ("events", "mails", "requests", "deliveries", "knobs")
DOES = ("act", "fault", "faults/clear", "expire-cursors", "revoke", "push", "push/on", "push/off", "knobs")


def steer(provider: Provider, request: Request) -> Reply:
    """Answer a request below /control. Errors are one sentence: 400, or 404 for an account or event that is not there."""
    place = request.path.removeprefix(PREFIX).strip("/")
    try:
        if request.method == "GET":
            return Reply.of(_read(provider, place, request))
        if request.method == "POST":
            return Reply.of(_do(provider, place, request))
        return Reply.of({"error": "only GET and POST are understood here"}, 405)
    except LookupError as error:
        return Reply.of({"error": f"there is no {error.args[0] if error.args else 'such thing'}"}, 404)
    except (ValueError, TypeError, GatewayError) as error:
        return Reply.of({"error": str(error)}, 400)
    except Rejected as rejected:  # the person's own program was refused by the provider
        return Reply.of({"error": rejected.reply.body.decode(errors="replace")}, 400)


def _read(provider: Provider, place: str, request: Request) -> object:
    match place:
        case "":
            return {"provider": provider.name, "GET": READS, "POST": DOES}
        case "events":
            with provider.lock:
                return provider.events(request.first("account"))
        case "mails":
            return provider.mails
        case "requests":
            after, bodies = int(request.first("after", "0")), request.first("bodies") not in ("", "0")
            with provider.lock:
                return [_entry(asdict(entry), bodies) for entry in provider.log if entry.n > after]
        case "deliveries":
            with provider.lock:
                return [
                    {"n": each.n, "url": each.outgoing.url, "headers": dict(each.outgoing.headers), "status": each.status}
                    for each in provider.deliveries
                ]
        case "knobs":
            return asdict(provider.knobs)
    raise LookupError(f"control address {place}")


def _entry(entry: Json, bodies: bool) -> Json:
    del entry["at"]
    if not bodies:
        del entry["body"]
    return entry


def _do(provider: Provider, place: str, request: Request) -> object:
    if place == "push" or place.startswith("push/"):
        return _push(provider, place.removeprefix("push").strip("/") or request.body.decode())
    wish = request.json()
    if wish is None:
        raise ValueError("the body is no JSON object")
    if place == "act":
        return provider.acting(wish)
    with provider.lock:
        provider.look_at_clock()
        match place:
            case "fault":
                provider.faults.rules.append(Fault.of(wish))
            case "faults/clear":
                provider.faults.rules.clear()
            case "expire-cursors":
                provider.expire_cursors(wish)
            case "revoke":
                return {"revoked": provider.revoke(wish)}
            case "knobs":
                provider.knobs.turn(wish)
                return asdict(provider.knobs)
            case _:
                told = provider.steer(place, wish)
                provider.speak()
                return told
    return {"ok": True}


def _push(provider: Provider, text: str) -> Json:
    """`on` or `off`: in the address, as the body, or in JSON (`"on"`, `{"push": "on"}`, `{"on": true}`)."""
    try:
        said = json.loads(text)
    except ValueError:
        said = text.strip()
    if isinstance(said, dict):
        said = next(iter(said.values()), "")
    if said not in ("on", "off", True, False):
        raise ValueError("say on or off")
    with provider.lock:
        provider.knobs.push = said in ("on", True)
    return {"push": provider.knobs.push}

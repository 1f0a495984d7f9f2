"""How the installation runs, for administrators: the same facts that machines read, in sentences with a next step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from gateway.errors import GatewayError
from gateway.links import Access, Standing
from gateway.web.site.frame import Answer, Ask, Route, Shown

LATE = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """`status` is a colour; `step` says what can be done, "" when there is nothing to do."""

    status: str
    what: str
    step: str = ""


def show(ask: Ask) -> Answer:
    findings = [*_server(ask), *_links(ask), *_sources(ask)]
    return Shown("health.html", {"findings": findings, "worst": _worst(findings)})


def _server(ask: Ask) -> list[Finding]:
    try:
        found = [Finding(status="green", what=ask.say("The database answers: %(version)s.", version=ask.store.ping()))]
    except GatewayError as error:
        return [Finding(status="red", what=ask.language.heard(str(error)), step=ask.say("Look at the database server."))]
    if ask.store.locked is not None:
        what = ask.say("A backup was restored: no letter is sent, and no calendar elsewhere is read or written.")
        step = ask.say("Whoever runs the server ends that, once everything is as it should be: gateway unlock")
        found.append(Finding(status="red", what=what, step=step))
    found += [
        Finding(status="red", what=ask.language.heard(each), step=ask.say("See the log of the server.")) for each in ask.parts.unready()
    ]
    if ask.parts.letters is None:
        found.append(Finding(status="red", what=ask.say("No letters are sent."), step=ask.say("Set mail.smtp_url and mail.from.")))
    if not ask.parts.public_url.startswith("https:"):
        step = ask.say("Telephones and providers want https: set server.public_url to the address people use.")
        found.append(Finding(status="yellow", what=ask.say("The public address is %(url)s.", url=ask.parts.public_url), step=step))
    for name, facts in ask.parts.providers.items():
        if not facts.configured:
            step = ask.say("Register an application and set its client id, if your staff use it.")
            found.append(Finding(status="grey", what=ask.say("%(name)s: no client id is set.", name=name.capitalize()), step=step))
    return found


def _links(ask: Ask) -> list[Finding]:
    """Of this company alone."""
    with ask.store.read(ask.company) as snapshot:
        accounts = snapshot.accounts()
        links = [each for each in snapshot.links() if each.standing is not Standing.ENDED]
    found = []
    broken = [each for each in accounts if each.access is not Access.OK]
    if broken:
        what = ask.language.count("%(n)s account has to be connected again.", "%(n)s accounts have to be connected again.", len(broken))
        found.append(Finding(status="red", what=what, step=ask.say("Their owners have been told; see the page Staff.")))
    held = [each for each in links if each.standing is Standing.GUARD]
    if held:
        what = ask.language.count("%(n)s calendar is held back by a brake.", "%(n)s calendars are held back by a brake.", len(held))
        found.append(Finding(status="red", what=what, step=ask.say("Say on the page of the staff member whether it was meant.")))
    late = [each for each in links if each.standing is Standing.ACTIVE and (each.pulled or each.created) < ask.now - LATE]
    if late:
        what = ask.language.count("%(n)s calendar has not been read lately.", "%(n)s calendars have not been read lately.", len(late))
        found.append(Finding(status="yellow", what=what, step=ask.say("It is tried again by itself.")))
    if links and not found:
        sound = ask.language.count("%(n)s connected calendar is in sync.", "%(n)s connected calendars are in sync.", len(links))
        found.append(Finding(status="green", what=sound))
    return found


def _sources(ask: Ask) -> list[Finding]:
    with ask.store.read(ask.company) as snapshot:
        failing = [person for person in snapshot.sources() if (source := snapshot.source(person)) is not None and source.failing]
    if not failing:
        return []
    what = ask.language.count("%(n)s external calendar cannot be read.", "%(n)s external calendars cannot be read.", len(failing))
    return [Finding(status="yellow", what=what, step=ask.say("The last known times go on blocking; see the page of the staff member."))]


def _worst(findings: list[Finding]) -> str:
    colours = {each.status for each in findings}
    return next(colour for colour in ("red", "yellow", "green", "grey") if colour in colours or colour == "grey")


ROUTES = (Route("GET", "/health", show),)

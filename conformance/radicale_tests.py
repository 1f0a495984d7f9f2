"""Runs Radicale's own tests against our application, storage, auth and rights:  python -m conformance.radicale_tests FOLDER

FOLDER has the `tests` of Radicale's source in it (see `fetching`); they are read from there and never part of this project. Prints what
came of each, as JSON. Their world is one of files, with calendars at the top, where anybody may write. So the application wears a
costume, as for litmus (see `costume`); what it changes, and nothing else, is said at `Costume`.
"""

from __future__ import annotations

import base64
import importlib
import inspect
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatch
from io import BytesIO, StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import radicale

from conformance.results import Case, Outcome
from gateway.model import Actor, Company, CompanyId, Policy, Staff, StaffId
from gateway.store import Store
from plugins.application import Application, build

RUN = ("test_base", "test_expand")
"""The tests that ask for something over HTTP and look at the answer, whatever is behind it."""

BESIDE = ("test_auth", "test_config", "test_rights", "test_server", "test_storage", "test_web")

FILLED = (
    "test_report_with_expand_*",
    "test_put_whole_calendar_case_sensitive_uids",
    "test_put_whole_calendar_multiple_events_with_same_uid",
)
"""Here a whole calendar is put only to have something to ask for."""

STRANGERS = ("test_authentication*",)
"""Here it is nobody who asks."""

HOME, PASSWORD = "/user", "as-long-as-an-app-password"
LOGIN = "Basic " + base64.b64encode(f"user:{PASSWORD}".encode()).decode()
HREF = re.compile(rb"(<(?:\w+:)?href>)/")
RESPONSE = re.compile(rb"<(?:\w+:)?response>.*?<(?:\w+:)?href>([^<]*)<.*?</(?:\w+:)?response>", re.DOTALL)
BLOCK = re.compile(rb"^BEGIN:(VEVENT|VTODO|VTIMEZONE)\r?\n.*?^END:\1\r?\n", re.MULTILINE | re.DOTALL)
UID = re.compile(rb"^UID:([^\r\n]*)", re.MULTILINE)
UNLIKE = re.compile(rb"&#13;|;VALUE=DATE(?=:)|(?<=;) (?=charset=|component=)")
"""What is written otherwise there, and means the same."""

GONE = '<multistatus xmlns="DAV:"><response><href>{}</href><status>HTTP/1.1 200 OK</status></response></multistatus>'
WITH_TOKEN = b"<D:allprop/><D:include><D:sync-token/></D:include>"
EVERYTHING = b'<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>'


@dataclass
class Stage:
    """An empty house that is copied for each test, and the stores that are open. As long as `with`."""

    folder: Path
    stores: list[Store] = field(default_factory=list)

    def __post_init__(self) -> None:
        store, company, setup = Store(f"sqlite:///{self.folder}/empty.db"), CompanyId("one"), Actor("setup", "import")
        store.migrate()
        store.found(Company(id=company, slug="one", name="One", zone="Europe/Paris", policy=Policy()))
        user = Staff(id=StaffId("user"), handle=HOME[1:], name="User", email="user@example.com", zone="Europe/Paris")
        with store.write(company, setup) as tx:
            tx.save_staff(user)
            tx.add_app_password(user.id, "tests", PASSWORD, datetime.now(UTC))
        store.close()

    def application(self) -> Application:
        copy = shutil.copy(self.folder / "empty.db", self.folder / f"{len(self.stores)}.db")
        self.stores.append(Store(f"sqlite:///{copy}"))
        return build(self.stores[-1], base_prefix="")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request; `path` and `body` as the server shall see them."""

    method: str
    path: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Costume:
    """What is done to the requests and answers of one test.

    The top is the home of the one staff member, who is logged in; whoever logs in by a name gets the password for it, and the world as
    it is. What a home has from the start beside calendars that were made is not shown in it. A query without a filter asks for
    everything, allprop for the sync-token too (which RFC 6578 §4 keeps out of it), and MOVE overwrites only when told to (RFC 4918 §10.6
    has it the other way round). A deletion is answered with a multistatus, an object that is none with 400, a type without spaces
    and in a header without its component, an all-day value without VALUE=DATE, the ends of lines as XML leaves them. `fill` puts a
    calendar object by object.
    """

    application: Application
    fill: bool
    stranger: bool

    def __call__(self, environ: dict[str, Any], start: Callable[..., None]) -> list[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        asked = Asked(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["wsgi.input"].read(length) if length else b"")
        if "HTTP_AUTHORIZATION" in environ:
            status, headers, content = self._ask({**environ, "HTTP_AUTHORIZATION": LOGIN}, asked)
        elif self.fill and asked.method == "PUT" and asked.path.endswith("/"):
            status, headers, content = self._filled(environ, asked)
        else:
            status, headers, content = self._at_home(environ, asked)
        status, content = _undressed(asked, status, content)
        headers = [(name, value.partition("; component=")[0]) for name, value in headers]
        start(status, headers)
        return [content] if content else []

    def _at_home(self, environ: dict[str, Any], asked: Asked) -> tuple[str, list[Any], bytes]:
        given = environ if self.stranger else {**environ, "HTTP_AUTHORIZATION": LOGIN}
        if "HTTP_DESTINATION" in given:
            target = re.sub(r"^(https?://[^/]*)?/+", rf"\1{HOME}/", given["HTTP_DESTINATION"])
            given = {"HTTP_OVERWRITE": "F", **given, "HTTP_DESTINATION": target}
        body = HREF.sub(rb"\1" + HOME.encode() + b"/", asked.body).replace(b"<D:allprop />", WITH_TOKEN)
        if b"<C:comp-filter" not in body:
            body = body.replace(b"<C:filter></C:filter>", b"").replace(b"</C:calendar-query>", EVERYTHING)
        status, headers, content = self._ask(given, Asked(asked.method, HOME + asked.path, body))
        if asked == Asked("PROPFIND", "/", asked.body):
            content = RESPONSE.sub(_unless_standing, content)
        return status, headers, content.replace(f"href>{HOME}/".encode(), b"href>/")

    def _filled(self, environ: dict[str, Any], asked: Asked) -> tuple[str, list[Any], bytes]:
        """The answer to the last of its objects."""
        answer = self._at_home(environ, Asked("MKCALENDAR", asked.path))
        for uid, text in _objects(asked.body).items():
            answer = self._at_home(environ, Asked("PUT", f"{asked.path}{uid}.ics", text))
        return answer

    def _ask(self, environ: dict[str, Any], asked: Asked) -> tuple[str, list[Any], bytes]:
        given = {**environ, "REQUEST_METHOD": asked.method, "PATH_INFO": asked.path}
        given |= {"wsgi.input": BytesIO(asked.body), "CONTENT_LENGTH": str(len(asked.body))}
        head: list[Any] = []

        def begun(status: str, headers: list[tuple[str, str]]) -> None:
            head.extend((status, headers))

        content = b"".join(self.application(given, begun))
        return head[0], head[1], content


STANDING = tuple(f"{HOME}/{name}/".encode() for name in ("appointments", "company", "inbox", "outbox"))
"""What every home has."""


def _unless_standing(found: re.Match[bytes]) -> bytes:
    return b"" if found[1] in STANDING else found[0]


def _undressed(asked: Asked, status: str, content: bytes) -> tuple[str, bytes]:
    if asked.method == "DELETE" and status.startswith("204"):
        return "200 OK", GONE.format(asked.path).encode()
    if asked.method == "PUT" and status.startswith("403") and b"valid-calendar-" in content:
        return "400 Bad Request", content
    return status, UNLIKE.sub(b"", content) if asked.method == "REPORT" else content


def _objects(text: bytes) -> dict[str, bytes]:
    """The objects of a whole calendar by UID, each with all its zones."""
    blocks = list(BLOCK.finditer(text))
    head = text[: blocks[0].start()] + b"".join(block[0] for block in blocks if block[1] == b"VTIMEZONE") if blocks else b""
    found: dict[str, bytes] = {}
    for block in blocks:
        if block[1] != b"VTIMEZONE" and (uid := UID.search(block[0])):
            found[uid[1].decode()] = found.get(uid[1].decode(), head) + block[0]
    return {uid: part + b"END:VCALENDAR\r\n" for uid, part in found.items()}


def _is_one_of(test: str, names: tuple[str, ...]) -> bool:
    return any(fnmatch(test, name) for name in names)


def cases(folder: Path) -> Iterator[Case]:
    """What comes of every test; of the files that are about Radicale's own parts, one case for each."""
    radicale.__path__.insert(0, str(folder))
    tests = importlib.import_module("radicale.tests")
    with tempfile.TemporaryDirectory(prefix="radicale-tests-") as name:
        stage = Stage(Path(name))
        for module in (importlib.import_module(f"radicale.tests.{each}") for each in RUN):
            yield from _of_module(tests, module, stage)
    for each in BESIDE:
        count = (folder / "tests" / f"{each}.py").read_text(encoding="utf-8").count("    def test_")
        yield Case(name=each, outcome=Outcome.SKIPPED, said=f"{count} tests")


def _of_module(tests: ModuleType, module: ModuleType, stage: Stage) -> Iterator[Case]:
    def configure(self: Any, wanted: Any) -> None:
        """In place of theirs: where files are and what rights a file grants means nothing here."""
        self.configuration.update(wanted, "test", privileged=True)
        if not hasattr(self, "application"):
            fill, stranger = (_is_one_of(self.running, names) for names in (FILLED, STRANGERS))
            self.application = Costume(stage.application(), fill=fill, stranger=stranger)

    tests.BaseTest.configure = configure
    for name, kind in inspect.getmembers(module, inspect.isclass):
        if name.startswith("Test") and kind.__module__ == module.__name__:
            for test in (each for each in vars(kind) if each.startswith("test_")):
                said = _said(kind(), test)
                stage.stores[-1].close()
                yield Case(name=test, outcome=Outcome.FAILED if said else Outcome.PASSED, said=said)


def _said(instance: Any, test: str) -> str:
    """Why the test has failed, "" when it has not."""
    with redirect_stderr(StringIO()), redirect_stdout(StringIO()):
        instance.running = test
        instance.setup_method()
        try:
            getattr(instance, test)()
        except Exception as problem:  # whatever a test of theirs may raise is what it says
            return str(problem) or _asserted(problem)
        finally:
            instance.teardown_method()
    return ""


def _asserted(problem: Exception) -> str:
    """The line of the test at which it has failed: a bare `assert` says no more."""
    inner = inspect.getinnerframes(problem.__traceback__) if problem.__traceback__ else []
    return (inner[-1].code_context or [""])[0].strip() or type(problem).__name__ if inner else type(problem).__name__


if __name__ == "__main__":
    sys.stdout.write(json.dumps([asdict(case) for case in cases(Path(sys.argv[1]))]) + "\n")

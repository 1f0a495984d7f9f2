"""Runs Radicale's own tests against our application, storage, auth and rights:  python -m conformance.radicale_tests FOLDER

FOLDER has the `tests` of Radicale's source in it (see `fetching`); they are read from there and never part of this project. Prints what
came of each, as JSON. Their world is one of files: calendars lie at the top, anybody may write, a deletion is answered with a
multistatus, a calendar is filled by one PUT, and XML may change the ends of lines. So the application wears a costume, as for litmus (see `costume`): the top is the
home of one staff member, who is always logged in.
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
FILLED_WHOLE = "test_expand"
"""Here a whole calendar is put only to have something to ask for."""

HOME, PASSWORD = "/member", "as-long-as-an-app-password"
LOGIN = "Basic " + base64.b64encode(f"member:{PASSWORD}".encode()).decode()
HREF = re.compile(rb"(<(?:\w+:)?href>)/")
GONE = '<multistatus xmlns="DAV:"><response><href>{}</href><status>HTTP/1.1 200 OK</status></response></multistatus>'

Wsgi = Callable[[dict[str, Any], Callable[..., None]], list[bytes]]


@dataclass
class Stage:
    """An empty house that is copied for each test, and the stores that are open. As long as `with`."""

    folder: Path
    stores: list[Store] = field(default_factory=list)

    def __post_init__(self) -> None:
        store, company, setup = Store(f"sqlite:///{self.folder}/empty.db"), CompanyId("one"), Actor("setup", "import")
        store.migrate()
        store.found(Company(id=company, slug="one", name="One", zone="Europe/Paris", policy=Policy()))
        member = Staff(id=StaffId("member"), handle=HOME[1:], name="Member", email="member@example.com", zone="Europe/Paris")
        with store.write(company, setup) as tx:
            tx.save_staff(member)
            tx.add_app_password(member.id, "tests", PASSWORD, datetime.now(UTC))
        store.close()

    def application(self) -> Application:
        copy = shutil.copy(self.folder / "empty.db", self.folder / f"{len(self.stores)}.db")
        self.stores.append(Store(f"sqlite:///{copy}"))
        return build(self.stores[-1], base_prefix="")


def dressed(application: Wsgi, *, fill: bool) -> Wsgi:
    """The application as the tests expect to find one."""

    def run(environ: dict[str, Any], start: Callable[..., None]) -> list[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if fill and method == "PUT" and path.endswith("/"):
            _ask(application, environ, "MKCALENDAR", path, b"")
            name = re.search(rb"^UID:([^\r\n]*)", body, re.MULTILINE)
            path += f"{name[1].decode() if name else 'none'}.ics"
        status, headers, content = _ask(application, environ, method, path, HREF.sub(rb"\1" + HOME.encode() + b"/", body))
        content = content.replace(f"href>{HOME}/".encode(), b"href>/").replace(b"&#13;", b"")
        if method == "DELETE" and status.startswith("204"):
            status, content = "200 OK", GONE.format(path).encode()
        start(status, headers)
        return [content] if content else []

    return run


def _ask(application: Wsgi, environ: dict[str, Any], method: str, path: str, body: bytes) -> tuple[str, list[Any], bytes]:
    given = {**environ, "REQUEST_METHOD": method, "PATH_INFO": HOME + path, "HTTP_AUTHORIZATION": LOGIN}
    given |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    if "HTTP_DESTINATION" in given:
        given["HTTP_DESTINATION"] = re.sub(r"^(https?://[^/]*)?/+", rf"\1{HOME}/", given["HTTP_DESTINATION"])
    head: list[Any] = []
    content = b"".join(application(given, lambda status, headers, error=None: head.extend((status, headers))))
    return head[0], head[1], content


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
    last = module.__name__.rpartition(".")[2]

    def configure(self: Any, wanted: Any) -> None:
        """In place of theirs: where files are and what rights a file grants means nothing here."""
        self.configuration.update(wanted, "test", privileged=True)
        if not hasattr(self, "application"):
            self.application = dressed(stage.application(), fill=last == FILLED_WHOLE)

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
    print(json.dumps([asdict(case) for case in cases(Path(sys.argv[1]))]))

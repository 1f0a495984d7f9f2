"""Runs the programs against a demo on loopback. They are other people's, under licences of their own: run, never imported."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from conformance import fetching, reading
from conformance.costume import worn
from conformance.results import Measured

HERE = Path(__file__).parents[1]
PATIENCE = 900.0  # seconds for one program
VERSION = re.compile(r"\d+(?:\.\d+)+")
SUITES = (("basic copymove http", False), ("props", True), ("locks", False))
"""litmus' suites, and whether its files are calendars then: properties are kept of calendars, not of objects."""


class Unable(Exception):
    """A program did not come to its end; says what it printed last."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whose calendars a program may do as it likes with."""

    login: str
    password: str
    handle: str


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo. Its four people are given to different programs, so that none finds what another has left."""

    base: str
    people: tuple[Person, ...]

    @property
    def caldav(self) -> str:
        return f"{self.base}/dav/"


@contextmanager
def demo(folder: Path) -> Iterator[Demo]:
    """Started on a free port, ended by its process id."""
    command = [sys.executable, "-m", "gateway", "demo", "--json", "--port", "0", "--data", str(folder / "demo")]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    with (folder / "demo.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, env=clean)
    try:
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise Unable(f"The demo did not start:\n{(folder / 'demo.log').read_text()[-2000:]}")
        ready: Mapping[str, Any] = json.loads(line)
        yield Demo(ready["base_url"], tuple(Person(each["login"], each["app_password"], each["handle"]) for each in ready["staff"]))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the programs are and where they may write."""

    tools: Path  # the folder of executables of their virtual environment
    folder: Path

    def litmus(self, served: Demo) -> Measured:
        """Debian's WebDAV tests, in a costume, because they speak of files and folders (see `costume`)."""
        person, said = served.people[0], ""
        for suites, as_calendars in SUITES:
            with worn(f"{served.caldav}{person.handle}/", as_calendars=as_calendars) as url:
                said += self._run("litmus", "-k", url, person.login, person.password, environment={"TESTS": suites}, rc=None) + "\n"
        return Measured(tool="litmus", version=self._version("litmus"), on=_today(), cases=reading.litmus(said))

    def server_tester(self, served: Demo) -> Measured:
        """caldav-server-tester, with two more accounts for what takes several people."""
        person, *others = served.people
        accounts = {
            name: {"caldav_url": served.caldav, "caldav_username": other.login, "caldav_password": other.password}
            for name, other in zip(("second", "third"), others, strict=False)
        }
        (self.folder / "accounts.json").write_text(json.dumps(accounts))
        program = str(self.tools / "caldav-server-tester")
        where = ("--caldav-url", served.caldav, "--caldav-user", person.login, "--caldav-password", person.password)
        sections = [word for name in accounts for word in ("--config-section", name)]
        environment = {"CALDAV_CONFIG_FILE": str(self.folder / "accounts.json")}
        said = self._run(program, *where, *sections, "--format", "hints", environment=environment, rc=None)
        return Measured(tool="caldav-server-tester", version=self._version(program), on=_today(), cases=reading.server_tester(said))

    def caldav_library(self, served: Demo, clients: Path) -> Measured:
        return self._check("caldav library", clients / "caldav_lib_check.py", served, served.people[1], "conformance-lib")

    def vdirsyncer(self, served: Demo, clients: Path) -> Measured:
        return self._check("vdirsyncer and khal", clients / "vdirsyncer_khal_check.py", served, served.people[1], "conformance-vds")

    def thunderbird(self, served: Demo, clients: Path) -> Measured:
        return self._check("Thunderbird", clients / "thunderbird_check.py", served, served.people[2], "conformance-tb")

    def radicale_tests(self, served: Demo) -> Measured:
        """Radicale's own tests against our plugins: in a process of their own, and with no need of the demo."""
        try:
            folder = fetching.radicale_tests(self.tools.parent)
        except OSError as problem:
            raise Unable(str(problem)) from problem
        said = self._run(sys.executable, "-m", "conformance.radicale_tests", str(folder), environment={"PYTHONPATH": str(HERE)})
        version = f"{fetching.VERSION}, on Radicale {metadata.version('radicale')}"
        return Measured(tool="Radicale's own tests", version=version, on=_today(), cases=reading.cases(said))

    def _check(self, tool: str, script: Path, served: Demo, person: Person, calendar: str) -> Measured:
        """A check by a real program, in a calendar of its own. It writes its trace and picture where it stands."""
        told = self.folder / f"{script.stem}.json"
        where = ("--url", served.caldav, "--user", person.login, "--password", person.password)
        python = str(self.tools / "python")
        said = self._run(python, str(script.resolve()), *where, "--mkcalendar", calendar, "--json", str(told), rc=None)
        if not told.exists():
            raise Unable(f"{script.name} did not come to its end:\n{said[-2000:]}")
        text = told.read_text()
        return Measured(tool=tool, version=_named_version(tool, text, self._freeze()), on=_today(), cases=reading.client_check(text))

    def _run(self, *command: str, environment: Mapping[str, str] | None = None, rc: int | None = 0) -> str:
        """What the program printed. `rc` None: however it ended, its output tells."""
        if shutil.which(command[0]) is None:
            raise Unable(f"{command[0]} is not there; `make conformance` installs it.")
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if rc is not None and done.returncode != rc:
            raise Unable(f"{command[0]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        if not done.stdout.strip():
            raise Unable(f"{command[0]} printed nothing:\n{done.stderr[-2000:]}")
        return done.stdout

    def _version(self, program: str) -> str:
        found = VERSION.search(self._run(program, "--version"))
        return found[0] if found else ""

    def _freeze(self) -> str:
        return self._run(str(self.tools / "python"), "-m", "pip", "--disable-pip-version-check", "list", "--format", "freeze")


def _named_version(tool: str, text: str, installed: str) -> str:
    """Thunderbird tells its own; of the others the virtual environment knows."""
    if tool == "Thunderbird":
        found = re.search(r"Thunderbird (\d+(?:\.\d+)+)", text)
        return found[1] if found else ""
    versions = dict(line.split("==") for line in installed.split() if "==" in line)
    return ", ".join(versions[name] for name in ("vdirsyncer", "khal", "caldav") if name in tool and name in versions)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()

"""The command line as a person uses it, on a database of its own."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from gateway import observe
from gateway.cli import cli
from gateway.store import Store


@dataclass(frozen=True)
class Ran:
    """What became of a command."""

    code: int
    out: str
    err: str
    error: BaseException | None  # what came through instead of a sentence

    @property
    def json(self) -> Any:  # whatever JSON holds
        assert self.code == 0, self.err
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """Types commands. The settings come from the environment, which holds nothing else of ours."""

    folder: Path
    postgresql: str = ""  # instead of an SQLite file in the folder

    @property
    def database(self) -> str:
        return self.postgresql or f"sqlite:///{self.folder}/gateway.sqlite"

    @property
    def settings(self) -> dict[str, str]:
        """Of every process on this database."""
        return {"GATEWAY_DATABASE__URL": self.database, "GATEWAY_SECRETS__KEY_FILE": f"{self.folder}/secret.key"}

    def __call__(self, *words: str, **environment: str) -> Ran:
        clean: dict[str, str | None] = {name: None for name in os.environ if name.startswith("GATEWAY_")}
        settings = {**self.settings, "GATEWAY_SERVER__PUBLIC_URL": "https://calendar.example.com", **environment}
        with _own_log():
            done = CliRunner().invoke(cli, words, prog_name="gateway", env=clean | settings)
        return Ran(done.exit_code, done.stdout, done.stderr, done.exception)

    def json(self, *words: str, **environment: str) -> Any:  # whatever JSON holds
        """The answer of a command that succeeds."""
        return self(*words, "--json", **environment).json

    def furnish(self) -> None:
        """A migrated database with one company, two people and what can be booked."""
        self.json("migrate")
        self.json("company", "add", "--name", "Example Ltd", "--zone", "Europe/Paris", "--bidirectional")
        self.json("staff", "add", "--name", "John Smith", "--email", "john.smith@example.com")
        self.json("staff", "add", "--name", "Emma Morris", "--email", "emma.morris@example.com")
        self.json("service", "add", "--name", "Advice", "--minutes", "30")
        self.json("customer", "add", "--name", "Ann Canaryname", "--email", "ann.canary@example.com")

    @contextmanager
    def store(self) -> Iterator[Store]:
        store = Store(self.database)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def _own_log() -> Iterator[None]:
    """A command may send the log to a standard error that ends with it."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        yield
    finally:
        observe.configure(level="warning")
        root.handlers, root.level = handlers, level

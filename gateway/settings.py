"""What the operator decides: config/gateway.toml, overruled by GATEWAY_SECTION__KEY in the environment; one mistake stops the start.

Every setting is explained in config/gateway.toml; a test keeps the two alike. Names and meanings are part of the contract with
operators: a new wish is an addition.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.errors import Misconfigured

PREFIX = "GATEWAY_"
CHOICE = "GATEWAY_CONFIG"
"""The environment variable that names the configuration file, when --config does not."""

USUAL = Path("config/gateway.toml")


def _words(value: object) -> object:
    """In the environment a list is written with commas."""
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _database(url: str) -> str:
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("begins with sqlite:/// or postgresql+psycopg://")
    return url


def _web(url: str) -> str:
    address = urlsplit(url)
    if url and (address.scheme not in ("http", "https") or not address.hostname or address.query or address.fragment):
        raise ValueError("is an address such as https://calendar.example.com")
    return url.rstrip("/")


def _smtp(url: str) -> str:
    address = urlsplit(url)
    if url and (address.scheme not in ("smtp", "smtps") or not address.hostname):
        raise ValueError("is smtp://[user:password@]host[:port], or smtps://… for TLS from the first octet")
    return url


def _contact(address: str) -> str:
    if address and (not address.startswith(("mailto:", "https://")) or any(character <= " " for character in address)):
        raise ValueError("is mailto:somebody@example.com or an https address")
    return address


def _mailbox(address: str) -> str:
    if "@" not in address or any(character < " " for character in address):
        raise ValueError("is an e-mail address, with a name before it if you like: Example Ltd <calendar@example.com>")
    return address


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
Address = Annotated[str, AfterValidator(_web)]
Secret = Annotated[str, Field(repr=False)]
Positive = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True)


class Database(Section):
    url: Annotated[Secret, AfterValidator(_database)] = "sqlite:///data/gateway.sqlite"


class Server(Section):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: Address = ""
    trusted_proxies: Words = ()
    threads: Annotated[int, Field(ge=1, le=200)] = 8


class Mail(Section):
    smtp_url: Annotated[Secret, AfterValidator(_smtp)] = "smtp://127.0.0.1:25"
    sender: Annotated[str, Field(alias="from"), AfterValidator(_mailbox)] = "Calendar <calendar@localhost>"


class Secrets(Section):
    key: Secret = ""
    key_file: str = ""
    retired_keys: Annotated[Words, Field(repr=False)] = ()
    profile_certificate: str = ""
    profile_key: str = ""

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if bool(self.profile_certificate) != bool(self.profile_key):
            raise ValueError("profile_certificate and profile_key go together")
        return self


class Oidc(Section):
    issuer: str = ""
    audience: str = ""
    jwks_file: str = ""
    claim: str = "email"
    client_id: str = ""
    client_secret: Secret = ""
    ca_bundle: str = ""

    @model_validator(mode="after")
    def _together(self) -> Self:
        if bool(self.audience) != bool(self.jwks_file):
            raise ValueError("audience and jwks_file go together")
        if bool(self.issuer) != bool(self.audience or self.client_id):
            raise ValueError("issuer and what it is for, audience with jwks_file or client_id, go together")
        return self


class Google(Section):
    client_id: str = ""
    client_secret: Secret = ""
    auth_uri: Address = "https://accounts.google.com/o/oauth2/v2/auth"
    token_uri: Address = "https://oauth2.googleapis.com/token"  # noqa: S105 an address
    revoke_uri: Address = "https://oauth2.googleapis.com/revoke"
    api_endpoint: Address = "https://www.googleapis.com/calendar/v3"


class Microsoft(Section):
    client_id: str = ""
    client_secret: Secret = ""
    authority: Address = "https://login.microsoftonline.com/common"
    instance_discovery: bool = True
    graph_url: Address = "https://graph.microsoft.com/v1.0"


class Http(Section):
    ca_bundle: str = ""


class Sync(Section):
    poll_seconds: Positive = 60
    told_poll_seconds: Positive = 300
    busy_poll_seconds: Annotated[int, Field(ge=60, le=86_400)] = 300
    hold_seconds: Count = 120
    mass_delete_limit: Positive = 20
    calls_per_turn: Annotated[int, Field(ge=5)] = 60
    calls_per_minute: Positive = 300
    carrier: Literal["threads", "procrastinate"] = "threads"
    threads: Annotated[int, Field(ge=1, le=64)] = 4
    turn_seconds: Annotated[int, Field(ge=10)] = 300
    lease_seconds: Annotated[int, Field(ge=3)] = 45
    push: bool = True


class PolicySection(Section):
    on_delete: Literal["ask", "cancel", "restore"] = "ask"
    on_conflict: Literal["refuse", "accept", "ask"] = "refuse"
    resize: bool = False


class Feeds(Section):
    past_days: Annotated[int, Field(ge=0, le=3660)] = 30
    future_days: Annotated[int, Field(ge=0, le=3660)] = 400
    fetches_per_hour: Positive = 60
    google_octets: Positive = 900_000
    google_events: Positive = 1000


class Limits(Section):
    """How much anybody may ask for. Also usable without a configuration: `Limits()` has the defaults."""

    request_octets: Positive = 1_048_576
    request_seconds: Positive = 30
    json_octets: Positive = 65_536
    header_count: Positive = 100
    header_octets: Positive = 8190
    wait_seconds: Positive = 60


class ExternalIcs(Section):
    allow_private_addresses: bool = False
    poll_seconds: Annotated[int, Field(ge=60, le=86_400)] = 600
    past_days: Annotated[int, Field(ge=0, le=366)] = 30
    future_days: Annotated[int, Field(ge=1, le=750)] = 400
    tentative_is_busy: bool = True
    working_elsewhere_is_busy: bool = False


class Push(Section):
    enabled: bool = True
    contact: Annotated[str, AfterValidator(_contact)] = ""
    allow_private_addresses: bool = False


class Log(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class Settings(BaseSettings):
    """All of it, checked. Relative paths are relative to the working folder."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True)

    database: Database = Database()
    server: Server = Server()
    mail: Mail = Mail()
    secrets: Secrets = Secrets()
    oidc: Oidc = Oidc()
    google: Google = Google()
    microsoft: Microsoft = Microsoft()
    http: Http = Http()
    sync: Sync = Sync()
    policy: PolicySection = PolicySection()
    feeds: Feeds = Feeds()
    limits: Limits = Limits()
    external_ics: ExternalIcs = ExternalIcs()
    push: Push = Push()
    log: Log = Log()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment overrules the file."""
        return env_settings, init_settings

    @property
    def public_url(self) -> str:
        """What people type, without a slash at the end."""
        return self.server.public_url or f"http://{self.server.host}:{self.server.port}"

    @property
    def folder(self) -> Path | None:
        """The folder of the embedded database; None on PostgreSQL."""
        kind, _, path = self.database.url.partition(":///")
        return Path(path).parent if kind == "sqlite" else None

    def secrets_in_use(self) -> tuple[str, ...]:
        """Every value that must never be written anywhere."""
        passwords = (urlsplit(url).password for url in (self.database.url, self.mail.smtp_url))
        values = (self.secrets.key, *self.secrets.retired_keys, self.google.client_secret, self.microsoft.client_secret, *passwords)
        return tuple(value for value in values if value)


def load(config: Path | None = None) -> Settings:
    """The settings from the file and the environment. Raises Misconfigured with every problem in one message.

    The file is `config`, else what GATEWAY_CONFIG names, else ./config/gateway.toml if there is one, else there is none.
    """
    chosen = os.environ.get(CHOICE)
    path = config or (Path(chosen) if chosen else None) or (USUAL if USUAL.exists() else None)
    written = _read(path) if path else {}
    problems = [f"{name}: there is no such setting" for name in os.environ if _foreign(name)]
    try:
        settings = Settings(**written)
    except ValidationError as error:
        problems += [_sentence(each["loc"], each["type"], each["msg"]) for each in error.errors(include_input=False)]
    if problems:
        raise Misconfigured("\n  ".join(["The settings are not right:", *problems]))
    return settings


def _read(path: Path) -> dict[str, Any]:  # Any: whatever TOML holds
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Misconfigured(f"The configuration file {path} cannot be read: {error}") from error


def _foreign(name: str) -> bool:
    """Whether the environment variable has our prefix and yet no section of ours: the settings would overlook it silently."""
    name = name.upper()
    section, separator, _ = name.removeprefix(PREFIX).lower().partition("__")
    return name.startswith(PREFIX) and name != CHOICE and not (separator and section in Settings.model_fields)


def _sentence(place: tuple[int | str, ...], kind: str, message: str) -> str:
    """What is wrong, by both names of the setting, and never with its value: it may be a secret."""
    names = [str(part) for part in place]
    message = "there is no such setting" if kind == "extra_forbidden" else message.removeprefix("Value error, ")
    return f"{'.'.join(names)} ({PREFIX}{'__'.join(names).upper()}): {message}"

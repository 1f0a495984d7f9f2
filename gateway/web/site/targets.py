"""The addresses by which other programs subscribe to a feed, in the exact forms they understand. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Targets:
    """All of them for one feed; `url` is the https address itself."""

    url: str
    name: str

    @property
    def webcal(self) -> str:
        """What Apple Calendar, classic Outlook and ICSx⁵ open."""
        return "webcal://" + self.url.partition("://")[2]

    @property
    def google(self) -> str:
        """Google takes a subscription in `cid`, as webcal only; undocumented, but what its own button does."""
        return "https://calendar.google.com/calendar/r?cid=" + quote(self.webcal, safe="")

    @property
    def outlook(self) -> str:
        return self._add_from_web("https://outlook.live.com")

    @property
    def office365(self) -> str:
        return self._add_from_web("https://outlook.office.com")

    def _add_from_web(self, host: str) -> str:
        return f"{host}/calendar/0/addfromweb/?url={quote(self.webcal, safe='')}&name={quote(self.name, safe='')}"

    def apple(self, agent: str) -> str:
        """Android knows no webcal: there it is the address itself."""
        return self.url if "Android" in agent else self.webcal

    @property
    def notes_lines(self) -> str:
        """What an administrator of HCL Notes puts into notes.ini or a desktop policy; the interval is in seconds."""
        return f"AddCalendarURL={self.url}\nFeedRefreshInterval=900"

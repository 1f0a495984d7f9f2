"""A letter before it is a mail: what stands on it, and how that looks as plain text and as HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import jinja2

WIDTH = 72
"""Columns of the plain text; addresses are never broken."""

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("gateway.post"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Mood(StrEnum):
    """What kind of news it is: the colour of the letter."""

    GOOD = "good"
    CHANGED = "changed"
    GONE = "gone"
    REFUSED = "refused"


class Look(StrEnum):
    """How a fact stands on the paper."""

    MAIN = "main"  # what the letter is about
    GONE = "gone"  # holds no more
    LIST = "list"  # several of a kind, a line each
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what stands behind it."""

    label: str
    lines: tuple[str, ...]
    look: Look = Look.PLAIN


@dataclass(frozen=True, slots=True)
class Link:
    """Something to press. `label` never comes from a customer, `address` is one of ours or a calendar's."""

    label: str
    address: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Paper:
    """Everything that stands on a letter, top to bottom; every text is one line (`line.line`).

    `pair` puts a label and its fact together in plain text. `before` stands above the facts, `after` below them; `links`
    follow `links_label`; `last` comes before the closing.
    """

    language: str
    mood: Mood
    pair: str
    company: str
    title: str
    greeting: str
    lead: str
    before: tuple[str, ...] = ()
    facts: tuple[Fact, ...]
    button: Link | None = None
    after: tuple[str, ...] = ()
    links_label: str = ""
    links: tuple[Link, ...] = ()
    last: tuple[str, ...] = ()
    closing: str

    @property
    def preview(self) -> str:
        """What an inbox shows beside the subject."""
        main = next((fact for fact in self.facts if fact.look in (Look.MAIN, Look.GONE)), None)
        return ", ".join(main.lines) if main else self.lead


def html(paper: Paper) -> str:
    """The HTML of the mail: tables and inline styles for Outlook, a dark theme for programs that know one."""
    return _TEMPLATES.get_template("letter.html").render(paper=paper)


def text(paper: Paper) -> str:
    """The same as plain text, lines ending in \\n."""
    return "\n\n".join(_paragraphs(paper)) + "\n"


def _paragraphs(paper: Paper) -> Iterator[str]:
    yield _wrapped(paper.title)
    yield _wrapped(paper.greeting)
    for sentence in (paper.lead, *paper.before):
        yield _wrapped(sentence)
    yield from _blocks(paper)
    if paper.button:
        yield _addressed(paper, paper.button.label, paper.button.address)
    for sentence in (*paper.after, *paper.last):
        yield _wrapped(sentence)
    for link in paper.links:  # below every sentence: such addresses are long
        yield _addressed(paper, f"{paper.links_label} {link.label}", link.address)
    yield f"{paper.closing}\n{paper.company}"


def _addressed(paper: Paper, label: str, address: str) -> str:
    return f"{paper.pair.format(label=label, value='').rstrip()}\n{address}"


def _blocks(paper: Paper) -> Iterator[str]:
    """The facts: short ones under each other, lists as paragraphs of their own."""
    short: list[str] = []
    for fact in paper.facts:
        if fact.look is not Look.LIST:
            short.append(_folded(paper.pair.format(label=fact.label, value=",\n".join(fact.lines))))
            continue
        if short:
            yield "\n".join(short)
            short = []
        label = paper.pair.format(label=fact.label, value="").rstrip()
        yield "\n".join((label, *(_folded(f"- {line}".replace(" → ", "\n→ ")) for line in fact.lines)))
    if short:
        yield "\n".join(short)


def _folded(text: str) -> str:
    """One line if it is short enough, and broken at its \n before anywhere else."""
    whole = text.replace("\n", " ")
    if len(whole) <= WIDTH:
        return whole
    first, *others = text.split("\n")
    return "\n".join((_wrapped(first, hang="  "), *(_wrapped(other, start="  ", hang="  ") for other in others)))


def _wrapped(paragraph: str, *, start: str = "", hang: str = "") -> str:
    return textwrap.fill(paragraph, WIDTH, initial_indent=start, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)

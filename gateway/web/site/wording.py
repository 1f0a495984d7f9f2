"""A letter as a person wrote it in the editor: made safe, its placeholders filled in, and said once more as plain text. Pure.

The two libraries, 2 MiB, are read in when somebody writes such a letter.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Mapping

LONGEST = 100_000
"""Characters of a letter's HTML."""

PLACEHOLDERS = ("company", "staff", "link", "providers", "expires")

_TAGS = {
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "div",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
}
_ATTRIBUTES = {
    "*": {"style", "align", "dir", "lang"},
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "valign"},
    "th": {"colspan", "rowspan", "valign", "scope"},
    "table": {"border", "cellpadding", "cellspacing", "width"},
    "ol": {"start", "type"},
}
_STYLES = {
    "background-color",
    "border",
    "border-collapse",
    "color",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "height",
    "line-height",
    "list-style-type",
    "margin",
    "margin-left",
    "padding",
    "padding-left",
    "text-align",
    "text-decoration",
    "vertical-align",
    "width",
}
_PLACE = re.compile(r"\{(" + "|".join(PLACEHOLDERS) + r")\}")


def safe(written: str) -> str:
    """The HTML with nothing in it that runs, loads styles or posts: an allow-list of what the editor can make (product.md S37).

    Pictures may come from https addresses only; links may lead to https, http, mailto and tel.
    """
    import nh3

    return nh3.clean(
        written[:LONGEST],
        tags=_TAGS,
        clean_content_tags={"script", "style", "title", "template", "noscript"},
        attributes=_ATTRIBUTES,
        filter_style_properties=_STYLES,
        url_schemes={"https", "http", "mailto", "tel"},
        link_rel="noopener noreferrer",
        attribute_filter=_filtered,
    )


def filled(text: str, values: Mapping[str, str], *, markup: bool) -> str:
    """The text with its placeholders replaced; with `markup` values are escaped, and {link} becomes a link unless it stands in one."""

    def value(found: re.Match[str]) -> str:
        given = values[found[1]]
        if not markup:
            return given
        escaped = html.escape(given, quote=True)
        inside = text[: found.start()].count('"') % 2 == 1 and text[: found.start()].rpartition("<")[2].partition(">")[1] == ""
        return f'<a href="{escaped}" rel="noopener noreferrer">{escaped}</a>' if found[1] == "link" and not inside else escaped

    return _PLACE.sub(value, text)


def with_link(written: str) -> str:
    """A letter without {link} would invite to nothing: it is put at the end (product.md S39)."""
    return written if "{link}" in written else f"{written}\n<p>{{link}}</p>"


def document(body: str, *, language: str, subject: str) -> str:
    """The whole document of the mail."""
    return (
        f'<!doctype html><html lang="{html.escape(language)}"><head><meta charset="utf-8"><title>{html.escape(subject)}</title></head>'
        '<body style="font:16px/1.5 Segoe UI,Roboto,Helvetica,Arial,sans-serif;color:#1c2430;max-width:640px;margin:0 auto;padding:16px">'
        f"{body}</body></html>"
    )


def as_text(body: str) -> str:
    """The same as plain text; every address stands where its link stood."""
    import html2text

    reader = html2text.HTML2Text(bodywidth=0)
    reader.unicode_snob, reader.inline_links, reader.protect_links, reader.wrap_links = True, True, True, False
    reader.ignore_emphasis, reader.ignore_images, reader.ignore_tables = True, True, False
    text = reader.handle(body)
    text = re.sub(r"\[([^\]]+)\]\(<([^>]+)>\)", _said, text).strip()
    return "\n".join(_wrapped(line) for line in text.splitlines()) + "\n"


def _wrapped(line: str) -> str:
    """Addresses are never broken, not even at their hyphens."""
    return textwrap.fill(line, 72, break_long_words=False, break_on_hyphens=False) if len(line) > 72 else line.rstrip()


def _said(found: re.Match[str]) -> str:
    label, address = found[1], found[2]
    return address if label == address else f"{label}: {address}"


def _filtered(tag: str, attribute: str, value: str) -> str | None:
    if tag == "img" and attribute == "src":
        return value if value.startswith("https://") else None
    return value

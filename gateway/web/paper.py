"""Pages written by templates: escaped by default, and a name that is missing is an error."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import jinja2

_STATIC = {
    "gateway.css": "text/css",
    "icon.svg": "image/svg+xml",
}

STATIC = {name: (kind, files("gateway.web").joinpath("static", name).read_bytes()) for name, kind in _STATIC.items()}
"""File name → (media type, octets): the few files a page may load, read once."""

_VERSIONS = {name: hashlib.sha256(octets).hexdigest()[:12] for name, (_, octets) in STATIC.items()}


def static(name: str) -> str:
    """The address of a static file; it changes with the file, so that browsers may keep it for ever."""
    return f"/static/{name}?v={_VERSIONS[name]}"


TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("gateway.web"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.globals["static"] = static


def render(template: str, *, language: str = "en", **values: object) -> str:
    """The page; `language` is a BCP 47 tag."""
    return TEMPLATES.get_template(template).render(language=language, **values)

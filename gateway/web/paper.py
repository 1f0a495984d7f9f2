"""Pages written by templates: escaped by default, and a name that is missing is an error."""

from __future__ import annotations

import functools
import gettext
import hashlib
from importlib.resources import files

import jinja2

_KINDS = {"css": "text/css", "svg": "image/svg+xml", "js": "text/javascript"}

EDITOR = "tinymce-8.9.2"
"""The folder of the editor; its name changes with its version, so that browsers may keep what is in it for ever."""


@functools.cache
def file(name: str) -> tuple[str, bytes] | None:
    """(media type, octets) of a file that a page may load; None: there is none of that name. Read when it is first asked for."""
    kind = _KINDS.get(name.rpartition(".")[2])
    folder = "vendor" if name.startswith(EDITOR + "/") else "static"
    parts = name.split("/")
    if kind is None or any(not part or part.startswith(".") for part in parts) or len(parts) > 8:
        return None
    found = files("gateway.web").joinpath(folder, *parts)
    return (kind, found.read_bytes()) if found.is_file() else None


@functools.cache
def static(name: str) -> str:
    """The address of a static file; it changes with the file, so that browsers may keep it for ever."""
    found = file(name)
    if found is None:
        raise LookupError(f"there is no static file {name}")
    return f"/static/{name}?v={hashlib.sha256(found[1]).hexdigest()[:12]}"


def environment(translations: gettext.NullTranslations) -> jinja2.Environment:
    """The templates in one language. Each language has an environment of its own: overlays would share what is installed last."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("gateway.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.globals["static"] = static
    made.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    return made


TEMPLATES = environment(gettext.NullTranslations())


def render(template: str, *, language: str = "en", **values: object) -> str:
    """The page in English, or with words of its own in `language`, a BCP 47 tag; `languages` makes those that are translated."""
    return TEMPLATES.get_template(template).render(language=language, **values)

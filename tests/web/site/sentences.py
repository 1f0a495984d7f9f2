"""Every sentence a page can show, found in the sources; `python -m tests.web.site.sentences` brings the catalogs up to date with them.

In templates and Python: what is given to `_()`, `say()`, `marked()` and `count()`. Beyond that, in rooms whose errors and remarks pages
show: whatever reads like a sentence, because it is said there in English and heard on the page (`Language.heard`).
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.messages import pofile
from babel.messages.catalog import Catalog
from jinja2 import nodes

from gateway.web.paper import TEMPLATES
from tests.house.source import ROOT

CATALOGS = ROOT / "gateway" / "web" / "catalogs"
TRANSLATED = {"fr": "n > 1", "de": "n != 1", "es": "n != 1"}
"""The languages beside English, and when each takes the plural."""

PAGES = ("gateway/web/*.py", "gateway/web/site/*.py")
HEARD = (
    "gateway/web/connect.py",
    "gateway/web/dav.py",
    "gateway/web/gate.py",
    "gateway/web/guard.py",
    "gateway/web/pages.py",
    "gateway/web/problems.py",
    "gateway/web/site/*.py",
    "gateway/bridge/**/*.py",
    "gateway/egress/*.py",
    "gateway/ical/busytimes.py",
    "gateway/ical/feedlines.py",
    "gateway/passwords.py",
    "gateway/store/saving.py",
    "gateway/store/users.py",
)
PARTS_OF_SENTENCES = {"gateway/bridge/google/house.py": "_MEANT"}
"""Tables of what is put into a sentence there."""

Sentence = str | tuple[str, str]

_CALLS = {"_": 1, "gettext": 1, "say": 1, "marked": 1, "count": 2, "ngettext": 2}
"""So many of the first arguments are sentences."""

_HEADER = """\
# The sentences of the pages in {name}. New ones come by `make catalogs`; what is translated here is shown after the next start.
# SPDX-License-Identifier: GPL-3.0-or-later
msgid ""
msgstr ""
"Project-Id-Version: calendar-gateway\\n"
"Language: {tag}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=({plural});\\n"

"""


def sentences() -> dict[Sentence, list[str]]:
    """Each with the files it stands in, in the order of the alphabet; (one, many) for those that count."""
    found: dict[Sentence, set[str]] = {}
    for place, sentence in _everywhere():
        found.setdefault(sentence, set()).add(place)
    return {sentence: sorted(found[sentence]) for sentence in sorted(found, key=_singular)}


def catalog(tag: str) -> Catalog:
    """As it is in the file; empty where there is none."""
    path = CATALOGS / f"{tag}.po"
    return pofile.read_po(io.BytesIO(path.read_bytes()), locale=tag) if path.is_file() else Catalog(locale=tag)


def update(tag: str) -> None:
    """New sentences join without a translation, former translations stay, what nobody says any more goes."""
    former, new = catalog(tag), Catalog(locale=tag)
    for sentence, places in sentences().items():
        known = former.get(_singular(sentence))
        kept = known.string if known is not None and known.id == sentence else ""
        new.add(sentence, kept or ("" if isinstance(sentence, str) else ("", "")), [(place, 0) for place in places])
    text = io.BytesIO()
    pofile.write_po(text, new, width=0, omit_header=True, sort_output=True, include_lineno=False)
    header = _HEADER.format(name=new.locale.english_name if new.locale else tag, tag=tag, plural=TRANSLATED[tag])
    (CATALOGS / f"{tag}.po").write_text(header + text.getvalue().decode().strip() + "\n", encoding="utf-8")


def _everywhere() -> Iterator[tuple[str, Sentence]]:
    for path in sorted((ROOT / "gateway" / "web" / "templates").rglob("*.html")):
        yield from ((_place(path), sentence) for sentence in _in_template(path.read_text(encoding="utf-8")))
    for pattern in PAGES:
        for path in sorted(ROOT.glob(pattern)):
            yield from ((_place(path), sentence) for sentence in _said(ast.parse(path.read_text(encoding="utf-8"))))
    for pattern in HEARD:
        for path in sorted(ROOT.glob(pattern)):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            yield from ((_place(path), sentence) for sentence in _sounding(tree))
            yield from ((_place(path), sentence) for sentence in _table(tree, PARTS_OF_SENTENCES.get(_place(path), "")))


def _in_template(source: str) -> Iterator[Sentence]:
    for call in TEMPLATES.parse(source).find_all(nodes.Call):
        name = call.node.attr if isinstance(call.node, nodes.Getattr) else getattr(call.node, "name", "")
        given = [each.value for each in call.args[: _CALLS.get(name, 0)] if isinstance(each, nodes.Const)]
        yield from _checked(name, given)


def _said(tree: ast.Module) -> Iterator[Sentence]:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            yield from _checked(_called(call), [each.value for each in _arguments(call) if isinstance(each, ast.Constant)])


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _arguments(call: ast.Call) -> Sequence[ast.expr]:
    return call.args[: _CALLS.get(_called(call), 0)]


def _checked(name: str, given: Sequence[object]) -> Iterator[Sentence]:
    """Nothing for other functions of the name, such as `list.count`, and for what is known only when it is said."""
    texts = [each for each in given if isinstance(each, str)]
    if texts and len(texts) == _CALLS[name]:
        yield texts[0] if len(texts) == 1 else (texts[0], texts[1])


def _sounding(tree: ast.Module) -> Iterator[str]:
    """Texts that end with a full stop or go on after one, but for docstrings; what stands in braces becomes a value with a name."""
    beside = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    beside |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    beside |= {id(each) for node in ast.walk(tree) if isinstance(node, ast.Call) for each in _arguments(node)}
    for node in ast.walk(tree):
        text = _text(node) if id(node) not in beside else ""
        if " " in text and (text.endswith(".") or ". " in text) and (text[0].isupper() or text.startswith("%(")):
            yield text


def _text(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_named(part, earlier=parts[:at]) for at, part in enumerate(parts))
        case _:
            return ""


def _named(part: ast.expr, *, earlier: Sequence[ast.expr]) -> str:
    """A value of the same name as an earlier one gets a number."""
    if not isinstance(part, ast.FormattedValue):
        return _text(part)
    name = _name(part.value)
    same = sum(isinstance(each, ast.FormattedValue) and _name(each.value) == name for each in earlier)
    return f"%({name}{same + 1 if same else ''})s"


def _name(value: ast.expr) -> str:
    """What a translator sees of a value: the last name in it."""
    match value:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_").lower()
        case ast.Subscript(value=inner, slice=ast.Slice() | ast.Constant()) | ast.Call(func=ast.Attribute(value=inner)):
            return _name(inner)
        case ast.Subscript(slice=inner) | ast.Call(args=[inner, *_]) | ast.BoolOp(values=[inner, *_]):
            return _name(inner)
        case _:
            return "value"


def _table(tree: ast.Module, name: str) -> Iterator[str]:
    for node in tree.body if name else ():
        match node:
            case ast.Assign(targets=[ast.Name(id=found)], value=ast.Dict(values=texts)) if found == name:
                yield from map(_text, texts)


def _singular(sentence: Sentence) -> str:
    return sentence if isinstance(sentence, str) else sentence[0]


def _place(path: Path) -> str:
    return str(path.relative_to(ROOT))


if __name__ == "__main__":
    for language in TRANSLATED:
        update(language)

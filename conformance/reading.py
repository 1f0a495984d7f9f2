"""Reads what the programs print: litmus' lines, the feature list of caldav-server-tester, the checks by real calendar programs."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from conformance.results import Case, Outcome

SUITE = re.compile(r"^-> running `(?P<name>\w+)':")
LINE = re.compile(r"^\s*\d+\. (?P<name>\w+)\.+ *(?P<rest>.*)$")
CONTINUED = re.compile(r"^\s+\.{4,} *(?P<rest>pass|FAIL|SKIPPED).*$")
ADDRESS = re.compile(r"https?://[^\s/]+(:\d+)?")
SECONDS_OR_COUNTS = re.compile(r"\b\d+\.\d+ s\b")
WORDS = {"PASS": Outcome.PASSED, "FAIL": Outcome.FAILED, "SKIP": Outcome.SKIPPED}


def litmus(text: str) -> list[Case]:
    """A case for each test, named `suite: test`; of tests with one name, the later ones are numbered.

    litmus draws over its own line with CR, and breaks lines inside what it says about a failure.
    """
    cases: list[Case] = []
    suite, current, said = "", "", list[str]()

    def close(rest: str) -> None:
        cases.append(Case(name=f"{suite}: {current}", outcome=_verdict(rest), said=_said(rest, said)))

    for line in (each.rpartition("\r")[2] for each in text.split("\n")):
        if found := SUITE.match(line):
            suite, current = found["name"], ""
        elif found := LINE.match(line):
            current, said = found["name"], []
            if not found["rest"] or found["rest"].startswith("WARNING"):
                said = [found["rest"]]  # how it ends is said once more, on a line that repeats the dots
            else:
                close(found["rest"])
        elif current and (found := CONTINUED.match(line)):
            close(found["rest"])
        elif cases and cases[-1].outcome is Outcome.FAILED and line.strip() and not line.startswith(("->", "<-")):
            cases[-1] = Case(name=cases[-1].name, outcome=Outcome.FAILED, said=f"{cases[-1].said} {line.strip()}".rstrip(")"))
    return list(_numbered(cases))


def _verdict(rest: str) -> Outcome:
    if rest.startswith("pass"):
        return Outcome.PASSED
    return Outcome.SKIPPED if rest.startswith("SKIPPED") else Outcome.FAILED


def _said(rest: str, before: Iterable[str]) -> str:
    found = re.search(r"FAIL \((.*)", rest)
    return ADDRESS.sub("", (found[1].removesuffix(")") if found else " ".join(before)).strip())


def _numbered(cases: Iterable[Case]) -> Iterator[Case]:
    seen = Counter[str]()
    for case in cases:
        seen[case.name] += 1
        name = case.name if seen[case.name] == 1 else f"{case.name} ({seen[case.name]})"
        yield Case(name=name, outcome=case.outcome, said=case.said)


def server_tester(text: str) -> list[Case]:
    """A case for each feature, from `--format hints`: the only one of its forms that keeps every feature with what was said of it.

    Whatever is not full support counts as failed, but for what it could not find out. Observations have a value and no support.
    """
    start = text.index("{\n")
    features = ast.literal_eval(text[start:])
    return [
        Case(name=name, outcome=_support(found["support"]), said=_behaviour(found))
        for name, found in sorted(features.items())
        if "support" in found
    ]


def _support(level: str) -> Outcome:
    return {"full": Outcome.PASSED, "unknown": Outcome.SKIPPED}.get(level, Outcome.FAILED)


def _behaviour(found: dict[str, str]) -> str:
    if found["support"] == "full":
        return ""
    said = found.get("behaviour") or found.get("description") or ""
    return f"{found['support']}: {said}" if said else str(found["support"])


def client_check(text: str) -> list[Case]:
    """A case for each line of a check's JSON file; what differs from run to run is taken out of the names."""
    rows = json.loads(text)["rows"]
    cases = (
        Case(name=_steady(what), outcome=WORDS[word], said=detail[:200] if word != "PASS" else "")
        for word, what, detail in rows
        if word in WORDS
    )
    return list(_numbered(cases))


def cases(text: str) -> list[Case]:
    """The cases as `radicale_tests` prints them."""
    return [Case(name=each["name"], outcome=Outcome(each["outcome"]), said=each["said"]) for each in json.loads(text)]


def _steady(what: str) -> str:
    return SECONDS_OR_COUNTS.sub("", ADDRESS.sub("", what)).strip()

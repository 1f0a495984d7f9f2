"""What goes wrong on purpose: which requests, how, and how often."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gateway.fakes.wire import Json

KINDS = {
    "before": "nothing is done; the caller gets a 500",
    "after_commit": "it is done; the caller gets a 504",
    "reset": "it is done; the connection is reset without an answer",
    "truncate": "it is done; the answer ends in the middle",
    "status": "nothing is done; the caller gets this status, after another colon for this reason (status:403:quotaExceeded)",
    "slow": "it is done; the answer comes so many seconds later (slow:5)",
    "duplicate": "it is done twice, as by a proxy that repeats; the caller gets the second answer",
    "blackhole": "nothing is done; no answer ever comes",
}


@dataclass(kw_only=True)
class Fault:
    """A rule. `skip` requests that match pass first, then it strikes `times` times."""

    method: re.Pattern[str]
    path: re.Pattern[str]
    kind: str
    argument: str = ""
    times: int = 1
    skip: int = 0

    @classmethod
    def of(cls, body: Json) -> Fault:
        """From {"match": "METHOD path-regex", "kind": …, "times": n, "skip": n}. Raises ValueError with a sentence."""
        method, _, path = str(body.get("match", "")).strip().partition(" ")
        kind, _, argument = str(body.get("kind", "")).partition(":")
        if kind not in KINDS:
            raise ValueError(f"kind must be one of: {', '.join(KINDS)}")
        if kind == "status" and not re.fullmatch(r"[1-5]\d\d(:.*)?", argument):
            raise ValueError("status needs a number: status:503")
        if kind == "slow":
            float(argument)
        try:
            patterns = re.compile(method.replace("*", ".*") or ".*", re.IGNORECASE), re.compile(path.strip())
        except re.error as error:
            raise ValueError(f"match is no regular expression: {error}") from error
        times, skip = int(body.get("times", 1)), int(body.get("skip", 0))
        return cls(method=patterns[0], path=patterns[1], kind=kind, argument=argument, times=times, skip=skip)


@dataclass
class Faults:
    """The rules in force, oldest first."""

    rules: list[Fault] = field(default_factory=list)

    def take(self, method: str, target: str) -> Fault | None:
        """The fault that strikes this request, counted down."""
        for fault in self.rules:
            if not (fault.method.fullmatch(method) and fault.path.search(target)):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self.rules.remove(fault)
            return fault
        return None

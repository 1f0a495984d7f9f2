"""python -m conformance: run the programs, keep what they say, draw the page."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from conformance import page, results, table
from conformance.programs import Bench, Demo, Unable, demo
from conformance.results import Measured, Outcome

out = Console(width=None if sys.stdout.isatty() else 140)
err = Console(stderr=True)


def main() -> int:
    """0 when every case passes or is explained."""
    wish = _wishes()
    if not wish.draw:
        try:
            results.save(results.merged(results.load(), list(_measured(wish.tools.resolve(), wish.clients, wish.only))))
        except (Unable, OSError) as problem:
            err.print(str(problem), style="red", markup=False)
            return 1
    known, measured = table.load(), results.load()
    page.FILE.write_text(page.draw(known, measured), encoding="utf-8")
    unexplained = [
        f"{each.tool}: {case.name}: {case.said or 'failed'}"
        for each in measured
        for case in each.cases
        if case.outcome is Outcome.FAILED and not known.reason(each.tool, case.name)
    ]
    for line in unexplained:
        err.print(line, style="red", markup=False)
    return 1 if unexplained else 0


def _measured(tools: Path, clients: Path, only: list[str]) -> Iterator[Measured]:
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder, demo(Path(folder)) as served:
        bench = Bench(tools, Path(folder))
        runs: dict[str, Callable[[Demo], Measured]] = {
            "litmus": bench.litmus,
            "caldav-server-tester": bench.server_tester,
            "Radicale's own tests": bench.radicale_tests,
        }
        if clients.is_dir():
            runs |= {
                "caldav library": lambda served: bench.caldav_library(served, clients),
                "vdirsyncer and khal": lambda served: bench.vdirsyncer(served, clients),
                "Thunderbird": lambda served: bench.thunderbird(served, clients),
            }
        else:
            out.print(f"Without {clients} there are no checks by real calendar programs: what is known of them is kept.", markup=False)
        for name, run in runs.items():
            if not only or name in only:
                measured = run(served)
                counts = ", ".join(f"{measured.count(outcome)} {outcome}" for outcome in Outcome)
                out.print(f"{name} {measured.version}: {counts}", markup=False, highlight=False)
                yield measured


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument("--draw", action="store_true", help="only draw the page again from what is known")
    parser.add_argument("--tools", type=Path, default=Path(".venv-conformance/bin"), help="where the programs from PyPI are")
    parser.add_argument("--clients", type=Path, default=Path("../shared/tools/clients"), help="the checks by real calendar programs")
    parser.add_argument("--only", action="append", default=[], metavar="PROGRAM", help="may be given several times")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

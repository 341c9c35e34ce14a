"""`make faults`: run the cases, write down every outcome as it comes, and print the table."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path

from tests.faults import (
    calls,
    clock,
    disk,
    drain,
    flips,
    kills,
    overload,
    reloads,
    slow,
    steady,
    threads,
    uploads,
)
from tests.faults.bench import Bench
from tests.faults.case import Case, Outcome
from tests.faults.scene import make_scene
from tests.faults.warm import ROOT, Warm

ALL = (
    *(flips.CASE, kills.BUILDS, kills.PUBLISHING, calls.CASE),
    *(uploads.CASE, slow.CASE, overload.CASE, disk.CASE, clock.CASE),
    *(threads.CASE, reloads.CASE, drain.CASE, steady.CASE),
)
CASES: dict[str, Case] = {case.name: case for case in ALL}
OUT = ROOT / "out" / "faults"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"
_EVERY_S = 15  # a line of progress
_SHOWN = 5  # unexpected outcomes that are told one by one


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 if anything came out that must not."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of: {', '.join(CASES)} (default: all)")
    parser.add_argument("--count", action="append", default=[], metavar="CASE=N", help="faults of a case")
    parser.add_argument("--resume", action="store_true", help="go on with what an earlier run left")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="put the table between its marks there")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}. The cases: {', '.join(CASES)}.")
    counts = {name: int(count) for name, _, count in (given.partition("=") for given in chosen.count)}
    OUT.mkdir(parents=True, exist_ok=True)
    cases = [CASES[name] for name in chosen.cases or CASES]
    if not chosen.resume:
        for case in cases:
            _log(case).unlink(missing_ok=True)
    work = _emptied(OUT / "work")
    with Warm(work) as warm:
        bench = Bench(work, make_scene(work / "scene"), warm)
        for case in cases:
            _run(case, bench, counts.get(case.name, case.count))
    rows = [(case, read(_log(case))) for case in CASES.values() if _log(case).exists()]
    text = table(rows)
    print(text)
    if chosen.markdown is not None:
        write_table(chosen.markdown, text)
    return int(any(not outcome.good for _, outcomes in rows for outcome in outcomes))


def _run(case: Case, bench: Bench, count: int) -> None:
    """Make the faults that are not on record yet, and record each at once."""
    done = {outcome.number for outcome in read(_log(case))}
    numbers = [number for number in range(count) if number not in done]
    if not numbers:
        return
    started, made, wrong, told = time.monotonic(), 0, 0, time.monotonic()
    with _log(case).open("a") as log:
        for outcome in case.run(bench, numbers):
            log.write(json.dumps(asdict(outcome)) + "\n")
            log.flush()
            made += outcome.number is not None
            wrong += not outcome.good
            if not outcome.good and wrong <= _SHOWN:
                print(f"{case.name}: {outcome.kind}: {outcome.detail}", file=sys.stderr)
            if time.monotonic() - told > _EVERY_S:
                told = time.monotonic()
                spent = told - started
                left = spent / made * (len(numbers) - made) if made else 0.0
                line = f"{case.name}: {made} of {len(numbers)}, {wrong} wrong"
                print(f"{line}, {spent:.0f} s, about {left:.0f} s left", file=sys.stderr)
        seconds = time.monotonic() - started
        log.write(json.dumps(asdict(Outcome(None, "seconds", True, f"{seconds:.0f}"))) + "\n")
    print(f"{case.name}: {made} made, {wrong} wrong, {seconds:.0f} s", file=sys.stderr)


def read(log: Path) -> list[Outcome]:
    """The outcomes on record. A line that a kill left half written is none."""
    found: list[Outcome] = []
    for line in log.read_text().splitlines() if log.exists() else ():
        try:
            found.append(Outcome(**json.loads(line)))
        except ValueError:
            continue
    return found


def table(rows: Sequence[tuple[Case, Sequence[Outcome]]]) -> str:
    """Markdown, a row a case."""
    lines = ["| case | what is done | tests | faults | what came of them | wrong | seconds |"]
    lines += ["|---|---|---|---:|---|---:|---:|"]
    for case, outcomes in rows:
        counted = [outcome for outcome in outcomes if outcome.number is not None]
        kinds = Counter(outcome.kind for outcome in counted)
        figures = {outcome.kind: outcome for outcome in outcomes if outcome.number is None}
        seconds = sum(float(o.detail) for o in outcomes if o.number is None and o.kind == "seconds")
        told = [f"{kind} {count:,}" for kind, count in kinds.most_common()]
        told += [f"{kind} {figure.detail}" for kind, figure in figures.items() if kind != "seconds"]
        wrong = sum(not outcome.good for outcome in counted)
        wrong += sum(not figure.good for figure in figures.values())
        cells = (case.name, case.what, case.promises, f"{len(counted):,}", "; ".join(told), f"{wrong:,}")
        lines.append(f"| {' | '.join(cells)} | {seconds:,.0f} |")
    return "\n".join(lines)


def write_table(page: Path, text: str) -> None:
    """Put the table, dated, between the marks of a page."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{text}\n\nRun on {date.today().isoformat()}.\n{END}{after}")


def _log(case: Case) -> Path:
    return OUT / f"{case.name}.jsonl"


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())

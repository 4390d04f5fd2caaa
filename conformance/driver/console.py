"""The run on the console: progress, failures, and the table at the end."""

import shutil
import sys
import textwrap
import time

from driver.errors import Wrong
from driver.results import Report, Row
from driver.tap import FAILED, FAULT, PASSED, SKIPPED, Test

# The row of the broker itself.
BROKER = "broker"
HEADINGS = ("client", "version", "what was exercised", "passed", "failed", "skipped", "client's fault")


class Progress:
    """One line for each project, which grows on a terminal and is written once elsewhere."""

    def __init__(self, name: str, out=sys.stdout):
        self._name = name
        self._out = out
        self._live = out.isatty()
        self._counts = {PASSED: 0, FAILED: 0, SKIPPED: 0, FAULT: 0}
        self._began = time.monotonic()
        self._draw()

    def test(self, test: Test) -> None:
        self._counts[test.outcome] += 1
        if test.outcome == FAILED:
            self._clear()
            print(f"  not ok: {test.name}", file=self._out, flush=True)
        self._draw()

    def end(self, faults: list[str]) -> None:
        self._clear()
        print(self._line() + f", {time.monotonic() - self._began:.0f} s", file=self._out, flush=True)
        for each in faults:
            print(f"  FAILED: {each}", file=self._out, flush=True)

    def _line(self) -> str:
        counts = self._counts
        line = f"{self._name:<20} {counts[PASSED]} passed, {counts[FAILED]} failed"
        line += f", {counts[SKIPPED]} skipped" if counts[SKIPPED] else ""
        return line + (f", {counts[FAULT]} by a fault of the client" if counts[FAULT] else "")

    def _draw(self) -> None:
        if self._live:
            self._clear()
            print(self._line(), end="", file=self._out, flush=True)

    def _clear(self) -> None:
        if self._live:
            print("\r\x1b[K", end="", file=self._out)


def say(text: str) -> None:
    print(f"== {text}", flush=True)


def failures(rows: list[Row]) -> str:
    """What did not pass, with the end of the frames of that time."""
    text = []
    for row in rows:
        for test in row.tests:
            if test.outcome != FAILED:
                continue
            text.append(f"FAILED {row.client}: {test.name}")
            text.append(textwrap.indent((test.message or test.diagnostics or "no message").strip(), "    "))
            if test.frames:
                text.append(f"    {test.frames_are}, the last {min(15, len(test.frames))}:")
                text += [f"      {_shortened(line)}" for line in test.frames[-15:]]
    return "\n".join(text)


def table(rows: list[Row]) -> str:
    """Columns as wide as they must be; what was exercised gets what is left of the terminal."""
    cells = [HEADINGS] + [
        (row.client, row.version, row.what, *(str(row.count(each)) for each in (PASSED, FAILED, SKIPPED, FAULT)))
        for row in rows
    ]
    widths = [max(len(line[i]) for line in cells) for i in range(len(HEADINGS))]
    others = sum(widths) - widths[2] + 2 * (len(HEADINGS) - 1)
    widths[2] = min(widths[2], max(24, shutil.get_terminal_size((140, 25)).columns - others))
    lines = []
    for number, line in enumerate(cells):
        what = textwrap.wrap(line[2], widths[2]) or [""]
        texts = [line[0], line[1], what[0], *line[3:]]
        lines.append("  ".join(text.rjust(width) if i > 2 else text.ljust(width) for i, (text, width) in enumerate(zip(texts, widths))))
        lines += [" " * (widths[0] + widths[1] + 4) + more for more in what[1:]]
        if number == 0:
            lines.append("  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def markdown(report: Report) -> str:
    """The table of compatibility, for the README. The broker itself is no client."""
    lines = ["| client | version | what was exercised | result |", "|---|---|---|---|"]
    for row in report.rows:
        if row.client == BROKER:
            continue
        lines.append("| " + " | ".join(each.replace("|", "\\|") for each in (row.client, row.version, row.what, in_words(row))) + " |")
    return "\n".join(lines) + "\n"


TABLE_BEGINS = "<!-- table: conformance/run --write-table -->"
TABLE_ENDS = "<!-- end of table -->"


def with_table(readme: str, table_lines: str) -> str:
    """The README with a new table between its marks."""
    before, begins, rest = readme.partition(TABLE_BEGINS)
    _, ends, after = rest.partition(TABLE_ENDS)
    if not begins or not ends:
        raise Wrong(f"README.md lacks the line {TABLE_ENDS if begins else TABLE_BEGINS}")
    return f"{before}{begins}\n\n{table_lines}\n{ends}{after}"


def in_words(row: Row) -> str:
    """The result of a row."""
    if row.verdict == SKIPPED:
        return "skipped"
    parts = [f"{row.count(PASSED)} passed"]
    parts += [f"**{row.count(FAILED)} failed**"] if row.count(FAILED) else []
    parts += [f"{row.count(SKIPPED)} skipped"] if row.count(SKIPPED) else []
    parts += [f"{row.count(FAULT)} fail by a fault of the client"] if row.count(FAULT) else []
    return ", ".join(parts)


def summary(report: Report) -> str:
    totals = report.totals()
    text = f"{totals[PASSED]} passed, {totals[FAILED]} failed, {totals[SKIPPED]} skipped, {totals[FAULT]} faults of clients"
    return f"{report.broker}: {text}, in {report.ended - report.began:.0f} s"


def _shortened(line: str) -> str:
    return line if len(line) <= 300 else line[:300] + " ..."

"""The report as one HTML file that needs nothing else: light and dark, wide and narrow."""

import time
from html import escape

from driver.console import in_words
from driver.results import Report, Row, machine
from driver.tap import FAILED, FAULT, PASSED, SKIPPED, Test

_WORDS = {PASSED: "passed", FAILED: "failed", SKIPPED: "skipped", FAULT: "client's fault"}
_SIGNS = {PASSED: "✓", FAILED: "✗", SKIPPED: "–", FAULT: "!"}

_STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --faint: #5d6670; --line: #dde1e6; --panel: #f6f7f9;
  --passed: #1a7f37; --failed: #c4242b; --skipped: #6a737d; --fault: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --back: #14171b; --text: #e2e6ea; --faint: #98a2ad; --line: #30363d; --panel: #1c2127;
  --passed: #4cc26a; --failed: #ff7b72; --skipped: #98a2ad; --fault: #e3b341; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.25rem 1rem 4rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
p { margin: .25rem 0; }
.faint { color: var(--faint); font-size: .9rem; }
.passed { color: var(--passed); } .failed { color: var(--failed); } .skipped { color: var(--skipped); } .fault { color: var(--fault); }
.totals { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0; padding: 0; list-style: none; }
.totals li { flex: 1 1 7rem; padding: .6rem .9rem; background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; }
.totals b { display: block; font-size: 1.6rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.totals li.none b { color: var(--faint); }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-size: .85rem; font-weight: 600; color: var(--faint); }
th.number, td.number { text-align: right; white-space: nowrap; }
td.zero { color: var(--faint); }
td a { color: inherit; font-weight: 600; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; }
summary { padding: .5rem .75rem; cursor: pointer; overflow-wrap: anywhere; }
summary:hover { background: var(--panel); }
.row > summary { font-weight: 600; }
.row > summary .faint { font-weight: 400; margin-left: .4rem; }
.row > .inside { padding: 0 .75rem .5rem; }
.test { display: flex; gap: .6rem; padding: .3rem 0; border-top: 1px solid var(--line); }
.test .sign { flex: none; width: 1rem; text-align: center; font-weight: 700; }
.test .said { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.test .time { flex: none; color: var(--faint); font-size: .85rem; font-variant-numeric: tabular-nums; }
.test details { margin: .4rem 0; }
pre { margin: .4rem 0; padding: .6rem .75rem; background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; overflow-x: auto;
  max-height: 32rem; font: 12.5px/1.5 ui-monospace, SFMono-Regular, Consolas, monospace; }
pre.words { white-space: pre-wrap; overflow-wrap: anywhere; }
details > pre { margin: 0; border: 0; border-top: 1px solid var(--line); border-radius: 0 0 .4rem .4rem; }
@media (max-width: 40rem) {
  table, tbody, tr, td { display: block; } thead { display: none; }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); } td { border: 0; padding: .05rem 0; }
  td.number { display: inline-block; text-align: left; margin-right: 1rem; } td.number::after { content: " " attr(data-of); color: var(--faint); }
  td.zero { display: none; }
}
"""


def html(report: Report) -> str:
    """The whole file."""
    verdict = "interrupted" if report.interrupted else "failed" if report.failed else "passed"
    style = {"passed": PASSED, "failed": FAILED}.get(verdict, FAULT)
    began = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(report.began))
    broker = report.broker or "a broker that did not answer"
    parts = [
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<meta name=viewport content='width=device-width, initial-scale=1'>",
        f"<title>{escape(broker)}: conformance {verdict}</title>\n<style>{_STYLE}</style>",
        f"<h1>{escape(broker)}: <span class={style}>{verdict}</span></h1>",
        f"<p class=faint>{began}, in {_seconds(report.ended - report.began)}, at {escape(report.url)}<br>{escape(machine())}</p>",
        _totals(report),
        _table(report.rows),
    ]
    failures = [(row, test) for row in report.rows for test in row.tests if test.outcome == FAILED]
    if failures:
        parts.append("<h2>What failed</h2>")
        parts += [f"<div class=failure><p><b>{escape(row.client)}</b></p>{_test(test, True)}</div>" for row, test in failures]
    parts.append("<h2>All tests</h2>")
    parts += [_row(number, row) for number, row in enumerate(report.rows)]
    return "\n".join(parts) + "\n</html>\n"


def _totals(report: Report) -> str:
    totals = report.totals()
    items = [
        f"<li class='{each if totals[each] else 'none'}'><b>{totals[each]:,}</b>{_WORDS[each]}</li>" for each in (PASSED, FAILED, SKIPPED, FAULT)
    ]
    return f"<ul class=totals>{''.join(items)}</ul>"


def _table(rows: list[Row]) -> str:
    head = "".join(f"<th class=number>{_WORDS[each]}</th>" for each in (PASSED, FAILED, SKIPPED, FAULT))
    lines = [f"<table><thead><tr><th>client<th>version<th>what was exercised{head}</tr></thead><tbody>"]
    for number, row in enumerate(rows):
        numbers = "".join(_number(row.count(each), each) for each in (PASSED, FAILED, SKIPPED, FAULT))
        lines.append(
            f"<tr><td><a class={row.verdict} href='#row{number}'>{escape(row.client)}</a>"
            f"<td>{escape(row.version)}<td>{escape(row.what)}{numbers}</tr>"
        )
    return "\n".join(lines) + "</tbody></table>"


def _number(count: int, outcome: str) -> str:
    style = f"number {outcome}" if count else "number zero"
    return f"<td class='{style}' data-of='{escape(_WORDS[outcome], quote=True)}'>{count:,}</td>"


def _row(number: int, row: Row) -> str:
    notes = "".join(_note(each) for each in row.notes)
    tests = "".join(_test(each, False) for each in row.tests)
    version = f" <span class=faint>{escape(row.version)}</span>" if row.version else ""
    took = f", {_seconds(row.seconds)}" if row.project else ""
    return (
        f"<details class=row id=row{number}><summary><span class={row.verdict}>{_SIGNS[row.verdict]}</span> {escape(row.client)}{version}"
        f" <span class=faint>{escape(in_words(row).replace('*', ''))}{took}</span></summary>"
        f"<div class=inside>{notes}{tests}</div></details>"
    )


def _note(note: str) -> str:
    first, _, more = note.partition("\n")
    return f"<p class=faint>{escape(first)}</p>" if not more else (
        f"<details><summary class=faint>{escape(first)}</summary><pre>{escape(more)}</pre></details>")  # fmt: skip


def _test(test: Test, opened: bool) -> str:
    told = []
    if test.reason:
        told.append(f"<div class=faint>{escape(test.reason)}</div>")
    if test.message:
        told.append(f"<pre class=words>{escape(test.message)}</pre>")
    if opened or test.outcome == FAULT:
        told += _evidence(test, opened)
    return (
        f"<div class=test><span class='sign {test.outcome}' title='{escape(_WORDS[test.outcome], quote=True)}'>{_SIGNS[test.outcome]}</span>"
        f"<div class=said>{escape(test.name)}{''.join(told)}</div><span class=time>{_seconds(test.ended - test.began)}</span></div>"
    )


def _evidence(test: Test, opened: bool) -> list[str]:
    """What is known besides: frames open, the rest to be opened."""
    parts = []
    if test.frames:
        parts.append(_folded(f"{test.frames_are}, the last {len(test.frames)}", test.frames, opened))
    if test.diagnostics and test.diagnostics.strip() != test.message.strip():
        parts.append(_folded("all that the program said of it", test.diagnostics.split("\n"), False))
    if test.output:
        parts.append(_folded("what else was printed", test.output, False))
    return parts


def _folded(title: str, lines: list[str], opened: bool) -> str:
    return f"<details{' open' if opened else ''}><summary class=faint>{escape(title)}</summary><pre>{escape(chr(10).join(lines))}</pre></details>"


def _seconds(seconds: float) -> str:
    if seconds >= 60:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"

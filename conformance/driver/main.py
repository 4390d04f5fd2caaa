"""A run, from the options to the exit code."""

import fcntl
import json
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import TextIO

from driver import broker as brokers
from driver import brokerlog, console, install, options, page, probe, program, project, results, tshark, watch
from driver.errors import Broken, Wrong
from driver.results import Report, Row
from driver.tap import FAILED as FAILED_TEST
from driver.tap import FAULT

CONFORMANCE = Path(__file__).resolve().parent.parent
ROOT = CONFORMANCE.parent
OUT = ROOT / "target" / "conformance"

PASSED, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130


def main(arguments: list[str]) -> int:
    """Runs what was asked for. Returns the exit code."""
    chosen = options.parse(arguments)
    # Ended by another's hand, it tidies up as on Ctrl-C.
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _interrupt)
    # A shell that runs it in the background has it ignore Ctrl-C, and so would every program that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if chosen.self_test:
            return self_test()
        projects = project.find(CONFORMANCE)
        names = options.chosen(chosen.only, [each.name for each in projects])
        projects = [each for each in projects if each.name in names]
        if chosen.list:
            return listing(projects)
        if chosen.install:
            return installation(projects)
        return conformance(projects, chosen)
    except Wrong as e:
        print(f"conformance/run: {e}", file=sys.stderr)
        return WRONG
    except Broken as e:
        print(f"conformance/run: {e}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("\nconformance/run: interrupted", file=sys.stderr)
        return INTERRUPTED


def _interrupt(*_) -> None:
    raise KeyboardInterrupt


def self_test() -> int:
    """The driver's own tests."""
    tests = unittest.defaultTestLoader.discover(str(CONFORMANCE / "driver"), top_level_dir=str(CONFORMANCE))
    passed = unittest.TextTestRunner(verbosity=1).run(tests).wasSuccessful() and tests.countTestCases() > 0
    return PASSED if passed else FAILED


def listing(projects: list[project.Project]) -> int:
    width = max((len(each.name) for each in projects), default=0)
    for each in projects:
        what = "; ".join(sentence for _, sentence in each.what if sentence)
        print(f"{each.name:<{width}}  {what}".rstrip())
    return PASSED


def installation(projects: list[project.Project]) -> int:
    missing = install.debian(projects, False, console.say)
    faults = []
    for each in projects:
        try:
            install.build(each, missing, False, console.say)
        except install.Missing as e:
            faults.append(f"{each.name}: {e}")
    own = [each for each in install.TOOLS if each in missing]
    faults += [f"not installed: {' '.join(own)}; nothing would be captured"] if own else []
    for fault in faults:
        print(f"FAILED {fault}", file=sys.stderr)
    brokers.jar(ROOT, console.say)
    return FAILED if faults else PASSED


def conformance(projects: list[project.Project], chosen) -> int:
    """The run itself."""
    missing = install.debian(projects, chosen.offline, console.say)
    unbuilt: dict[str, str] = {}
    for each in projects:
        try:
            install.build(each, missing, chosen.offline, console.say)
        except install.Missing as e:
            unbuilt[each.name] = str(e)
    OUT.parent.mkdir(exist_ok=True)
    alone = _alone()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    with tempfile.TemporaryDirectory(prefix="millrace-conformance-") as work:
        run = ConformanceRun(projects, unbuilt, chosen, Path(work))
        try:
            report = run.all()
        finally:
            run.end()
    code = tell(report, chosen)
    alone.close()
    return code


def _alone() -> TextIO:
    """Two runs would write over each other's report. Closed, or at the end of the process, the next one may start."""
    lock = (ROOT / "target" / "conformance.lock").open("w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as e:
        raise Wrong("another run is going on here; it ends, or takes Ctrl-C") from e
    return lock


def tell(report: Report, chosen) -> int:
    """Writes and prints the report. Returns the exit code."""
    (OUT / "report.json").write_text(json.dumps(report.as_json(), indent=1) + "\n", encoding="utf-8")
    (OUT / "report.html").write_text(page.html(report), encoding="utf-8")
    failed = console.failures(report.rows)
    print("\n" + (failed + "\n\n" if failed else "") + console.table(report.rows))
    print("\n" + console.summary(report))
    print(f"report: {(OUT / 'report.html').relative_to(ROOT)}")
    if chosen.markdown:
        print("\n" + console.markdown(report))
    if chosen.write_table and not report.interrupted:
        readme = CONFORMANCE / "README.md"
        readme.write_text(console.with_table(readme.read_text(encoding="utf-8"), console.markdown(report)), encoding="utf-8")
    if report.interrupted:
        return INTERRUPTED
    return FAILED if report.failed else PASSED


class ConformanceRun:
    """One run: the broker, and the projects one after another."""

    def __init__(self, projects, unbuilt: dict[str, str], chosen, work: Path):
        self._projects = projects
        self._unbuilt = unbuilt
        self._chosen = chosen
        self._run_id = "c" + secrets.token_hex(3)
        if chosen.url:
            self._own = None
            self._broker = brokers.Foreign(chosen.url, chosen.user_url)
        else:
            jar = brokers.jar(ROOT, console.say)
            queues = "".join(each.broker for each in projects if each.name not in unbuilt)
            self._own = brokers.Millrace(ROOT, jar, work, OUT / "broker.log", queues, chosen.ports)
            self._broker = self._own
        self._wire = watch.Wire(OUT, self._broker.places, not chosen.no_capture, chosen.keep)
        self._report = Report("", str(self._broker.place), time.time())

    def all(self) -> Report:
        """Runs all projects. An interrupt leaves a report of what there is."""
        report = self._report
        try:
            if self._own:
                console.say("starting the broker")
                self._own.start()
            report.broker = probe.product(self._broker.place)
            for each in self._projects:
                report.rows += self._rows(each)
                if report.interrupted:
                    raise KeyboardInterrupt
            report.rows.append(self._wire.row())
            if self._own:
                report.rows.append(self._own_row())
        except KeyboardInterrupt:
            report.interrupted = True
        report.ended = time.time()
        return report

    def end(self) -> None:
        """Whatever happened, nothing is left behind."""
        self._wire.end()
        if self._own:
            self._own.kill()

    def _rows(self, each: project.Project) -> list[Row]:
        now = time.time()
        if each.name in self._unbuilt:
            print(f"{each.name:<20} FAILED: {self._unbuilt[each.name]}")
            return [Row(each.name, each.name, "", each.exercises(each.name),
                        [results.of_faults([self._unbuilt[each.name]], "the project can be run", now, now)])]  # fmt: skip
        try:
            if self._own:
                self._own.revive()
        except Broken as e:
            print(f"{each.name:<20} FAILED: {e}")
            return [Row(each.name, each.name, "", each.exercises(each.name),
                        [results.of_faults([str(e)], "there is a broker to run against", now, time.time())])]  # fmt: skip
        self._wire.begin(each.name)
        progress = console.Progress(each.name)
        told = self._broker.environment() | {"RUN_ID": self._run_id}
        run = program.run(each, told, OUT, progress.test)
        progress.end(run.faults)
        self._report.interrupted = run.interrupted
        rows = rows_of(each, run)
        tests = [test for row in rows for test in row.tests if test.outcome in (FAILED_TEST, FAULT)]
        if not self._wire.show(tests, self._own.kills if self._own else []) and self._own:
            log = brokerlog.read(self._own.log)
            for test in tests:
                test.frames = brokerlog.between(log, test.began, test.ended)[-tshark.MOST_FRAMES :]
                test.frames_are = "log of the broker"
        return rows

    def _own_row(self) -> Row:
        """What is expected of the broker besides."""
        console.say("stopping the broker")
        began = time.time()
        fault = self._own.stop()
        ended = time.time()
        rss = self._own.highest_rss / 2**20
        limit = self._chosen.max_rss
        errors = [f"{self._during(each.moment)}:\n" + "\n".join(each.lines[:40])
                  for each in brokerlog.read(self._own.log) if each.is_error]  # fmt: skip
        shown = errors[:20] + ([f"and {len(errors) - 20} more"] if len(errors) > 20 else [])
        tests = [
            results.judged("logs no error and no stack trace", shown, self._report.began, ended),
            results.judged("never ends by itself", self._own.deaths, began, began),
            results.judged(f"takes less than {limit} MiB of memory",
                           [f"{rss:.0f} MiB were resident"] if rss > limit else [], began, began),
            results.judged(f"stops within {brokers.STOP_SECONDS} s of SIGTERM", [fault] if fault else [], began, ended),
        ]  # fmt: skip
        return Row("", console.BROKER, "", "the process during the run", tests,
                   [f"{self._own.starts} starts, at most {rss:.0f} MiB resident"])  # fmt: skip

    def _during(self, moment: float) -> str:
        """What ran at a time, for an error in the log."""
        for row in self._report.rows:
            for test in row.tests:
                if row.project and test.began <= moment <= test.ended:
                    return f"during {row.project}: {test.name}"
        return "between the projects"


def rows_of(each: project.Project, run: program.Run) -> list[Row]:
    """A row for each client that the program named. What is wrong with the whole run is told in the last."""
    reader = run.reader
    rows = {client: Row(each.name, client[0], client[1], each.exercises(client[0])) for client in reader.clients}
    for test in reader.tests:
        client = (test.client, test.version)
        if client not in rows:
            rows[client] = Row(each.name, test.client or each.name, test.version, each.exercises(test.client))
        rows[client].tests.append(test)
    last = list(rows.values())[-1] if rows else Row(each.name, each.name, "", each.exercises(each.name))
    rows = rows or {("", ""): last}
    if reader.skip_all and not reader.tests:
        last.tests.append(results.skipped("all tests", reader.skip_all, run.ended))
    if run.faults:
        fault = results.of_faults(run.faults, "the program runs to its end", reader.last, run.ended)
        fault.output = reader.rest + _tail(run.err)
        last.tests.append(fault)
    return list(rows.values())


def _tail(file: Path, lines: int = 60) -> list[str]:
    """The end of what a program printed on its standard error output."""
    with file.open("rb") as content:
        content.seek(0, 2)
        content.seek(max(0, content.tell() - 30_000))
        text = content.read().decode(errors="replace").splitlines()[-lines:]
    return ["standard error output:", *text] if text else []

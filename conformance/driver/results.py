"""What came of a run."""

import platform
import time
from collections import Counter
from dataclasses import asdict, dataclass, field

from driver.tap import FAILED, FAULT, OUTCOMES, PASSED, SKIPPED, Test


@dataclass
class Row:
    """A client in the report, with its tests."""

    project: str
    client: str
    version: str
    what: str
    tests: list[Test] = field(default_factory=list)
    # Neither failed nor passed, but worth knowing.
    notes: list[str] = field(default_factory=list)

    def count(self, outcome: str) -> int:
        return sum(each.outcome == outcome for each in self.tests)

    @property
    def failed(self) -> bool:
        return self.count(FAILED) > 0

    @property
    def seconds(self) -> float:
        return sum(each.ended - each.began for each in self.tests)

    @property
    def verdict(self) -> str:
        """The whole row in a word, as a test's outcome is one."""
        for outcome in (FAILED, PASSED, FAULT):
            if self.count(outcome):
                return outcome
        return SKIPPED


@dataclass
class Report:
    """All of it."""

    broker: str
    url: str
    began: float
    rows: list[Row] = field(default_factory=list)
    ended: float = 0.0
    interrupted: bool = False

    @property
    def failed(self) -> bool:
        return any(each.failed for each in self.rows) or not self.rows

    def totals(self) -> Counter:
        return Counter({outcome: sum(each.count(outcome) for each in self.rows) for outcome in OUTCOMES})

    def as_json(self) -> dict:
        """For programs."""
        return {
            "broker": self.broker,
            "url": self.url,
            "machine": machine(),
            "began": iso(self.began),
            "seconds": round(self.ended - self.began, 1),
            "interrupted": self.interrupted,
            "passed": not self.failed,
            "totals": dict(self.totals()),
            "rows": [
                {**{key: value for key, value in asdict(row).items() if key != "tests"},
                 "verdict": row.verdict,
                 **{outcome: row.count(outcome) for outcome in OUTCOMES},
                 "tests": [_test(each) for each in row.tests]}
                for row in self.rows
            ],
        }  # fmt: skip


def _test(test: Test) -> dict:
    shown = {key: value for key, value in asdict(test).items() if value not in ("", []) and key not in ("client", "version")}
    return shown | {"began": iso(test.began), "ended": iso(test.ended), "seconds": round(test.ended - test.began, 3)}


def iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1000):03d}Z"


def machine() -> str:
    """Where the run was."""
    processors = "?"
    memory = ""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
        processors = f"{len(models)} x {models[0]}" if models else f"{platform.machine()}"
        with open("/proc/meminfo", encoding="utf-8") as file:
            memory = f", {round(int(file.readline().split()[1]) / 2**20)} GiB"
    except (OSError, IndexError, ValueError):
        pass
    return f"{processors}{memory}, {platform.system()} {platform.release()}"


def of_faults(faults: list[str], name: str, began: float, ended: float) -> Test:
    """A test that failed without having been one."""
    return Test(0, name, FAILED, began, ended, message="\n".join(faults))


def judged(name: str, faults: list[str], began: float, ended: float) -> Test:
    """A test of the driver's own: passed if there are no faults."""
    return Test(0, name, FAILED if faults else PASSED, began, ended, message="\n".join(faults))


def skipped(name: str, reason: str, moment: float) -> Test:
    return Test(0, name, SKIPPED, moment, moment, reason=reason)

"""Reads TAP 14 as it comes, line by line, and remembers when each test ended."""

import re
import textwrap
from dataclasses import dataclass, field

PASSED, FAILED, SKIPPED, FAULT = "passed", "failed", "skipped", "fault"
OUTCOMES = (PASSED, FAILED, SKIPPED, FAULT)

_TEST = re.compile(r"(not )?ok\b(?:[ \t]+(\d+))?(?:[ \t]*-(?=\s))?[ \t]*(.*)")
_PLAN = re.compile(r"1\.\.(\d+)\s*(?:#\s*(.*))?")
_DIRECTIVE = re.compile(r"(?<!\\)(?:(?<=\s)|^)#\s*(skip|todo)\b\S*[ \t:]*(.*)", re.IGNORECASE)
_BAIL = re.compile(r"bail out!\s*(.*)", re.IGNORECASE)
_CLIENT = re.compile(r"#\s*client\s+(\S.*)", re.IGNORECASE)
_YAML_START = re.compile(r"(\s+)---\s*")

# Lines of other output that are kept for a test, and the longest of them: a program that has gone wild must not fill memory.
KEPT_LINES = 200
LONGEST_LINE = 2000


@dataclass
class Test:
    """A line of TAP, and what is known of it. Times are seconds since 1970."""

    number: int
    name: str
    outcome: str
    began: float
    ended: float
    client: str = ""
    version: str = ""
    # Of a skipped test, or of a fault of the client.
    reason: str = ""
    # What happened, and all that the program said of it.
    message: str = ""
    diagnostics: str = ""
    # What else the program printed meanwhile.
    output: list[str] = field(default_factory=list)
    # The frames, or else the broker's log, of the time of the test; filled in for what did not pass.
    frames: list[str] = field(default_factory=list)
    frames_are: str = ""


class Reader:
    """Reads one program's output. Give it lines, then the end."""

    def __init__(self, began: float):
        self.tests: list[Test] = []
        # Client and version, in the order in which they came.
        self.clients: list[tuple[str, str]] = []
        self._planned: int | None = None
        self._skip_all: str | None = None
        self._faults: list[str] = []
        self._bailed: str | None = None
        self._output: list[str] = []
        self._yaml: list[str] | None = None
        self._yaml_indent = ""
        self._last = began
        self._client = ("", "")
        self._may_have_yaml = False

    def line(self, text: str, now: float) -> Test | None:
        """Takes a line. Returns the test, if it ended one; its diagnostics may follow."""
        text = text.rstrip("\r\n")
        if self._yaml is not None and self._yaml_line(text):
            return None
        start = _YAML_START.fullmatch(text)
        if start and self._may_have_yaml:
            self._yaml, self._yaml_indent = [], start.group(1)
            return None
        test = _TEST.fullmatch(text)
        if test and self._bailed is None:
            return self._test(test, now)
        self._may_have_yaml = False
        if plan := _PLAN.fullmatch(text):
            self._plan(plan)
        elif client := _CLIENT.fullmatch(text):
            self._client = client_of(client.group(1))
            if self._client not in self.clients:
                self.clients.append(self._client)
        elif (bail := _BAIL.fullmatch(text)) and self._bailed is None:
            self._bailed = bail.group(1).strip() or "no reason given"
        elif not re.fullmatch(r"TAP version \d+\s*|pragma [+-].*|\s*", text):
            self._keep(text)
        return None

    def end(self, exit_code: int | None, minutes: float, interrupted: bool = False) -> list[str]:
        """What is wrong with the run as a whole, besides failed tests. No exit code: its time was over."""
        if self._yaml is not None:
            self._end_yaml()
        faults = list(self._faults)
        if exit_code is None:
            faults.append("interrupted" if interrupted else f"had not ended after {minutes:g} minutes and was killed")
        if self._bailed is not None:
            faults.append(f"gave up: {self._bailed}")
        if self._planned is None:
            faults.append("has no plan: it did not come to its end" if self.tests else "said nothing of any test")
        elif self._planned != len(self.tests):
            faults.append(f"planned {self._planned} tests, but told of {len(self.tests)}")
        elif self._planned == 0 and self._skip_all is None:
            faults.append("has no test")
        failed = any(each.outcome == FAILED for each in self.tests)
        if exit_code is not None and exit_code < 0:
            faults.append(f"was ended by signal {-exit_code}")
        elif exit_code and not failed:
            faults.append(f"ended with exit code {exit_code}, although no test failed")
        return faults

    @property
    def skip_all(self) -> str | None:
        """Why there is no test at all, if the program says so: 1..0 # SKIP reason."""
        return self._skip_all

    @property
    def rest(self) -> list[str]:
        """What the program printed after its last test."""
        return self._output

    @property
    def last(self) -> float:
        """When the last test ended."""
        return self._last

    def _test(self, match: re.Match, now: float) -> Test:
        number = int(match.group(2)) if match.group(2) else len(self.tests) + 1
        if number != len(self.tests) + 1:
            self._faults.append(f"numbered test {len(self.tests) + 1} as {number}")
        name, directive, reason = match.group(3), "", ""
        if found := _DIRECTIVE.search(name):
            name, directive, reason = name[: found.start()], found.group(1).lower(), unescape(found.group(2)).strip()
        outcome = FAILED if match.group(1) else PASSED
        message = ""
        if directive == "skip":
            outcome = SKIPPED
        elif directive == "todo" and outcome == FAILED:
            outcome = FAULT
        elif directive == "todo":
            message = "passed, although it is marked as a fault of the client"
        client, version = self._client
        test = Test(
            number, unescape(name).strip() or f"test {number}", outcome, self._last, now,
            client, version, reason, message, output=self._output,
        )  # fmt: skip
        self._output = []
        self._last = now
        self._may_have_yaml = True
        self.tests.append(test)
        return test

    def _plan(self, match: re.Match) -> None:
        if self._planned is not None:
            self._faults.append("has more than one plan")
            return
        self._planned = int(match.group(1))
        if self._planned == 0 and (comment := match.group(2)):
            self._skip_all = re.sub(r"(?i)^skip\S*\s*:?\s*", "", comment).strip() or "no reason given"

    def _yaml_line(self, text: str) -> bool:
        """Whether the line belongs to the diagnostics. One that is not indented does not: the end was forgotten."""
        if text.strip() and not text.startswith(self._yaml_indent):
            self._end_yaml()
            return False
        if text.rstrip() == self._yaml_indent + "...":
            self._end_yaml()
        elif len(self._yaml) < 2 * KEPT_LINES:
            self._yaml.append(text[:LONGEST_LINE])
        return True

    def _end_yaml(self) -> None:
        text = textwrap.dedent("\n".join(self._yaml)).strip("\n")
        test = self.tests[-1]
        test.diagnostics = text
        test.message = message_of(text) or test.message
        self._yaml = None
        self._may_have_yaml = False

    def _keep(self, text: str) -> None:
        self._output.append(text[:LONGEST_LINE])
        if len(self._output) > KEPT_LINES:
            del self._output[0]


def unescape(text: str) -> str:
    """TAP 14 escapes # and the backslash."""
    return re.sub(r"\\([#\\])", r"\1", text)


def client_of(text: str) -> tuple[str, str]:
    """ "NAME VERSION": the version begins with the first word, after the first, that begins with a digit."""
    words = text.split()
    for i, word in enumerate(words[1:], 1):
        if re.match(r"v?\d", word):
            return " ".join(words[:i]), " ".join(words[i:])
    return (" ".join(words[:-1]), words[-1]) if len(words) > 1 else (words[0], "")


def message_of(yaml: str) -> str:
    """The value of "message" in diagnostics: a plain or quoted line, or a block."""
    lines = yaml.split("\n")
    for i, line in enumerate(lines):
        found = re.fullmatch(r"message:\s*(.*)", line)
        if not found:
            continue
        value = found.group(1).strip()
        block = []
        for following in lines[i + 1 :]:
            if following.strip() and not following.startswith((" ", "\t")):
                break
            block.append(following)
        body = textwrap.dedent("\n".join(block)).strip("\n")
        if re.fullmatch(r"[|>][+-]?\d?", value):
            return body.strip() if value[0] == "|" else re.sub(r"\s+", " ", body).strip()
        whole = value + (" " + re.sub(r"\s+", " ", body).strip() if body.strip() else "")
        return _unquote(whole)
    return ""


def _unquote(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m.group(1), m.group(1)), value[1:-1])
    return value

"""Writes TAP 14 to standard output, a line as soon as a test ended."""

import sys
import traceback
from typing import Callable


class Skip(Exception):
    """Thrown by a test that cannot be run here."""


class Tap:
    def __init__(self) -> None:
        self.number = self.failures = 0
        self.say("TAP version 14")

    @staticmethod
    def say(line: str) -> None:
        print(line, flush=True)

    def client(self, name: str, version: str) -> None:
        self.say(f"# client {name} {version}")

    def test(self, name: str, body: Callable[[], None], todo: str = "") -> None:
        """Runs a test, which fails by raising anything. `todo`: the evidence that it is the client's fault."""
        self.number += 1
        ending = f" # TODO fault of the client: {todo}" if todo else ""
        try:
            body()
        except Skip as reason:
            self.say(f"ok {self.number} - {name} # SKIP {reason}")
        except Exception as fault:
            if not isinstance(fault, AssertionError):
                traceback.print_exc(file=sys.stderr)
            self.failures += not todo
            self.say(f"not ok {self.number} - {name}{ending}\n  ---\n  message: |-")
            for line in (str(fault) or type(fault).__name__).splitlines():
                self.say(f"    {line}")
            self.say("  ...")
        else:
            self.say(f"ok {self.number} - {name}{ending}")

    def finish(self) -> int:
        """Ends the report, and returns the exit code."""
        self.say(f"1..{self.number}")
        return 1 if self.failures or not self.number else 0

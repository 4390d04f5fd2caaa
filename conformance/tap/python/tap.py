"""Tests that report themselves on standard output as TAP 14, one line each as soon as it has ended.

    suite = Suite()

    @suite.test("a released message comes back", limit_seconds=10)
    def released_comes_back(): ...

    suite.main([("qpid-proton (Python)", "python3-qpid-proton")])

A test fails by raising anything. It has a limit of time, and is skipped when the environment lacks what it needs.
On the command line, a word runs only the tests whose names contain it.
"""
import os
import signal
import subprocess
import sys
import traceback

MISSING = {
    "BROKER_CRASH": "the broker can't be crashed from here",
    "BROKER_RESTART": "the broker can't be restarted from here",
    "AMQP_USER_URL": "the broker has no listener that wants a user",
}


class OutOfTime(BaseException):
    """Not an Exception, so that no client's `except Exception` swallows it."""


class Skip(Exception):
    """Raised by a test that cannot be run here, with the reason."""


class Tap:
    """The report itself, for programs that know their tests only as they run."""

    def __init__(self):
        self.number = self.failed = 0
        say("TAP version 14")

    def client(self, name, version):
        """The rows that follow are of this client."""
        say(f"# client {name} {version}")

    def test(self, name, body, limit_seconds=15, todo=None):
        """Runs a test. `todo`: why it is the client's fault that it fails."""
        self.number += 1
        try:
            why = failure(body, limit_seconds)
        except Skip as reason:
            say(f"ok {self.number} - {name} # SKIP {reason}")
            return
        say(f"{'not ok' if why else 'ok'} {self.number} - {name}{f' # TODO fault of the client: {todo}' if todo else ''}")
        if why:
            self.failed += not todo
            say("  ---\n  message: |\n" + "".join(f"    {line}\n" for line in why.splitlines()) + "  ...")

    def finish(self):
        """Ends the report. Returns the exit code."""
        say(f"1..{self.number}")
        return 1 if self.failed or not self.number else 0


class Suite:
    def __init__(self):
        self.tests = []

    def test(self, name, limit_seconds=15, needs=(), todo=None):
        """`needs`: variables of the environment. `todo`: why it is the client's fault that the test fails."""
        def add(body):
            self.tests.append((name, body, limit_seconds, needs, todo))
            return body
        return add

    def main(self, clients):
        """`clients`: pairs of a client's name and the Debian package whose version is told."""
        wanted = [t for t in self.tests if len(sys.argv) < 2 or sys.argv[1] in t[0]]
        tap = Tap()
        for client, package in clients:
            tap.client(client, version(package))
        for name, body, limit_seconds, needs, todo in wanted:
            missing = [variable for variable in needs if not os.environ.get(variable)]
            tap.test(name, skipped(MISSING[missing[0]]) if missing else body, limit_seconds, todo)
        sys.exit(tap.finish())


def skipped(reason):
    def body():
        raise Skip(reason)
    return body


def failure(body, limit_seconds):
    """Why the test failed, in words, or nothing."""
    def stop(*_):
        raise OutOfTime(f"not done after {limit_seconds} s")
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, limit_seconds)
    try:
        body()
        return None
    except Skip:
        raise
    except (Exception, OutOfTime) as e:
        here = [f for f in traceback.extract_tb(e.__traceback__) if os.sep + "conformance" + os.sep in f.filename and
                os.path.basename(f.filename) != "tap.py"]
        places = "".join(f"\nat {os.path.basename(f.filename)}:{f.lineno}: {f.line}" for f in reversed(here))
        return f"{type(e).__name__}: {e}{places}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def version(package):
    return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=True).stdout


def say(text):
    print(text, flush=True)


def address(name):
    """An address of this run."""
    return f"{os.environ['RUN_ID']}.{name}"


def crash():
    """Kills the broker with SIGKILL and starts it again."""
    subprocess.run(os.environ["BROKER_CRASH"], shell=True, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)


def restart():
    """Stops the broker with SIGTERM and starts it again."""
    subprocess.run(os.environ["BROKER_RESTART"], shell=True, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)


def equal(what, expected, actual):
    assert expected == actual, f"{what}: expected {brief(expected)}, but got {brief(actual)}"


def brief(value):
    text = repr(value)
    return text if len(text) < 400 else f"{text[:300]}... ({len(text)} characters)"

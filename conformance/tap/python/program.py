"""A program that runs beside a test, with its output read line by line."""
import os
import queue
import subprocess
import threading
import time


class Program:
    """Used as `with Program([...]) as program`; is killed at the end of the block if it still runs."""

    def __init__(self, command, cwd=None, env=None):
        self.name = os.path.basename(next((word for word in command[1:] if word.endswith(".py")), command[0]))
        self.lines = []
        self._fresh = queue.Queue()
        self._process = subprocess.Popen(command, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            self._fresh.put(line.rstrip("\n"))
        self._fresh.put(None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.running():
            self._process.kill()
        self._process.wait()
        self._process.stdin.close()

    def running(self):
        return self._process.poll() is None

    def type(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def end_input(self):
        self._process.stdin.close()

    def line(self, text, limit_seconds=15):
        """Waits for the next line that contains the text."""
        deadline = time.monotonic() + limit_seconds
        while True:
            line = self._next(deadline, f"a line with '{text}'")
            assert line is not None, f"{self.name} ended without a line with '{text}': {self.output()}"
            if text in line:
                return line

    def finished(self, limit_seconds=20):
        """Waits for its end, which must be a success, and gives all lines it ever wrote."""
        deadline = time.monotonic() + limit_seconds
        while self._next(deadline, "its end") is not None:
            pass
        code = self._process.wait(max(0.1, deadline - time.monotonic()))
        assert code == 0, f"{self.name} ended with code {code}: {self.output()}"
        return self.lines

    def failed(self, limit_seconds=20):
        """Waits for its end, which must be a failure, and gives what it wrote."""
        deadline = time.monotonic() + limit_seconds
        while self._next(deadline, "its end") is not None:
            pass
        assert self._process.wait(5) > 0, f"{self.name} did not fail: {self.output()}"
        return self.output()

    def killed(self):
        self._process.kill()
        self._process.wait()

    def stopped(self, signal, limit_seconds=15):
        """Sends it the signal and waits for its end."""
        self._process.send_signal(signal)
        return self.finished(limit_seconds)

    def rest(self):
        """What a program that has ended wrote last."""
        while self._next(time.monotonic() + 5, "its end") is not None:
            pass
        return self.output()

    def output(self):
        return " | ".join(self.lines[-20:])

    def _next(self, deadline, what):
        try:
            line = self._fresh.get(timeout=max(0.001, deadline - time.monotonic()))
        except queue.Empty:
            raise AssertionError(f"{self.name} did not come to {what} in time; it wrote: {self.output()}") from None
        if line is not None:
            self.lines.append(line)
        return line

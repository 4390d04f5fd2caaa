"""Runs a project's program: in a process group of its own, with a limit of time, its output kept and read as TAP."""

import os
import queue
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from driver.project import Project
from driver.tap import Reader, Test

_FAREWELL_SECONDS = 3
# A program that writes without end must not fill the disk.
_MOST_OUTPUT = 64 * 1024 * 1024


@dataclass
class Run:
    """What a program did."""

    reader: Reader
    began: float
    ended: float
    faults: list[str]
    out: Path
    err: Path
    interrupted: bool = False


def run(project: Project, told: dict[str, str], folder: Path, seen: Callable[[Test], None]) -> Run:
    """Runs the program to its end, or to the end of its time. An interrupt ends it, too."""
    began = time.time()
    reader = Reader(began)
    out, err = folder / f"{project.name}.out.txt", folder / f"{project.name}.err.txt"
    code: int | None = None
    interrupted = False
    with out.open("wb") as kept, err.open("wb") as errors:
        process = subprocess.Popen(
            ["sh", "-c", project.run], cwd=project.folder, env=clean(os.environ) | told, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
        )  # fmt: skip
        lines: queue.Queue = queue.Queue(maxsize=10_000)
        pump = threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True)
        pump.start()
        try:
            code = _read(process, lines, project.minutes * 60, reader, kept, seen)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            end_group(process)
    return Run(reader, began, time.time(), reader.end(code, project.minutes, interrupted), out, err, interrupted)


def clean(environment: dict[str, str]) -> dict[str, str]:
    """Without what only the driver may say."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(("AMQP_", "BROKER_")) and name != "RUN_ID"
    }


def _pump(stream, lines: queue.Queue) -> None:
    """Reads on a thread of its own, so that each line has the time at which it came."""
    with stream:
        for line in iter(lambda: stream.readline(1 << 16), b""):
            lines.put((time.time(), line))
    lines.put(None)


def _read(process, lines, seconds, reader, kept, seen) -> int | None:
    """Returns the exit code, or None if time was over."""
    deadline = time.monotonic() + seconds
    written = 0
    while (left := deadline - time.monotonic()) > 0:
        try:
            entry = lines.get(timeout=min(left, 0.2))
        except queue.Empty:
            if process.poll() is not None:
                # It has ended, but a child of its may hold the output open. What it had to say is here by now.
                if lines.empty():
                    return process.returncode
            continue
        if entry is None:
            try:
                return process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                return None
        moment, line = entry
        written += len(line)
        if written <= _MOST_OUTPUT:
            kept.write(line)
        test = reader.line(line.decode(errors="replace"), moment)
        if test:
            seen(test)
    return None


def end_group(process: subprocess.Popen) -> None:
    """Ends a program and all that it started in its group."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if not _signal(process, how):
            break
        deadline = time.monotonic() + _FAREWELL_SECONDS
        while time.monotonic() < deadline and _signal(process, 0):
            process.poll()
            time.sleep(0.02)
    process.wait()


def _signal(process: subprocess.Popen, how: int) -> bool:
    """Whether there is still somebody in the group."""
    process.poll()
    try:
        os.killpg(process.pid, how)
        return True
    except (ProcessLookupError, PermissionError):
        return False

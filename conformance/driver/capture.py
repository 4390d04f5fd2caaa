"""What goes over the wire between projects and the broker, captured by dumpcap, a file for each project."""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from driver.options import Place

# More than any project should send; a disk is not to be filled.
LARGEST_KIB = 2 * 1024 * 1024
_KERNEL_BUFFER_MIB = 64
_PATIENCE_SECONDS = 15


class Unable(Exception):
    """Nothing can be captured here. The message says why."""


class Capture:
    """One capture, from its construction to stop()."""

    def __init__(self, file: Path, places: list[Place]):
        if not shutil.which("dumpcap") or not shutil.which("tshark"):
            raise Unable("dumpcap and tshark are not installed")
        self.file = file
        self._marked = places[0].port
        # A datagram to one of the ports marks the end; it is on loopback wherever the broker is.
        here = all(each.is_here for each in places)
        ports = " or ".join(f"tcp port {each.port}" for each in places)
        self._errors = file.with_suffix(".dumpcap.txt")
        command = [
            "dumpcap", "-q", "-i", "lo" if here else "any", "-f", f"({ports}) or (udp port {self._marked} and host 127.0.0.1)",
            "-B", str(_KERNEL_BUFFER_MIB), "-a", f"filesize:{LARGEST_KIB}", "-w", str(file),
        ]  # fmt: skip
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
            )
        # It tells the name of the file when it has begun.
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not re.search(r"^File: ", self._said(), re.MULTILINE):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise Unable(self._reason())
            time.sleep(0.02)

    def stop(self) -> list[str]:
        """Ends the capture when all that was sent until now is in the file. Returns why it is not whole, if so."""
        if self._process.poll() is not None:
            full = self.file.exists() and self.file.stat().st_size >= LARGEST_KIB * 1000
            return [f"more than {LARGEST_KIB // 1024} MiB went over the wire" if full else f"dumpcap ended: {self._reason()}"]
        faults = [] if self._mark() else [f"dumpcap did not write the last packets within {_PATIENCE_SECONDS} s"]
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return [*faults, "dumpcap did not end"]
        dropped = dropped_of(self._said())
        faults += [f"{dropped} packets were lost before they could be captured"] if dropped else []
        if not faults:
            self._errors.unlink()
        return faults

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def _mark(self) -> bool:
        """Packets are captured in the order in which they were sent, so all is there once this one is."""
        mark = secrets.token_bytes(16)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(mark, ("127.0.0.1", self._marked))
        while time.monotonic() < deadline:
            if mark in _end_of(self.file):
                return True
            time.sleep(0.02)
        return False

    def _said(self) -> str:
        return self._errors.read_text(errors="replace")

    def _reason(self) -> str:
        lines = [line.removeprefix("dumpcap: ").strip() for line in self._said().splitlines()]
        telling = [line for line in lines if line and not line.startswith(("Capturing on", "File:", "cap_set_proc"))]
        return telling[0] if telling else f"exit code {self._process.poll()}, without a word"


def _end_of(file: Path) -> bytes:
    with file.open("rb") as content:
        content.seek(0, os.SEEK_END)
        content.seek(max(0, content.tell() - 65536))
        return content.read()


def dropped_of(said: str) -> int:
    """From "Packets received/dropped on interface 'lo': 195/0 (pcap:0/dumpcap:0/flushed:0/ps_ifdrop:0) (100.0%)"."""
    return sum(int(each) for each in re.findall(r"received/dropped on interface '.*?': \d+/(\d+)", said))

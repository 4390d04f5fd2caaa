"""The wire during a run: a capture for each project, read by tshark when the project has ended."""

import time
from pathlib import Path

from driver import results, tshark
from driver.capture import Capture, Unable
from driver.options import Place
from driver.results import Row
from driver.tap import Test

_NAMES = (
    "every packet of the run is captured and read",
    "no frame of the broker is malformed or has an expert error",
)


class Wire:
    """All captures of a run."""

    def __init__(self, folder: Path, places: list[Place], wanted: bool, keep: bool):
        self._folder = folder
        self._places = places
        self._ports = [each.port for each in places]
        self._keep = keep
        # Why there is no capture; nothing if there is.
        self._unable = "" if wanted else "it was not wanted (--no-capture)"
        self._capture: Capture | None = None
        self._began = time.time()
        self._read: dict[str, tshark.Judgement] = {}
        self._unread: list[str] = []
        self._project = ""

    def begin(self, name: str) -> None:
        """Captures what a project sends and gets."""
        self._project = name
        if self._unable:
            return
        try:
            self._capture = Capture(self._folder / f"{name}.pcapng", self._places)
        except Unable as e:
            self._unable = str(e)
            print(f"== nothing is captured: {self._unable}", flush=True)

    def show(self, tests: list[Test], kills: list[float]) -> bool:
        """Ends the capture of the project, judges it, and puts frames to tests. Returns whether there is a capture."""
        capture, self._capture = self._capture, None
        if capture is None:
            return False
        faults = capture.stop()
        self._unread += [f"{self._project}: {each}" for each in faults]
        judgement = None
        try:
            judgement = tshark.judge(capture.file, self._ports, kills)
            self._read[self._project] = judgement
            spans = [tshark.Span(each.began, each.ended) for each in tests]
            for test, frames in zip(tests, tshark.frames(capture.file, self._ports, spans)):
                test.frames, test.frames_are = frames, "frames"
        except tshark.Failed as e:
            self._unread.append(f"{self._project}: {e}")
        suspicious = judgement is None or judgement.broker.packets
        if not (self._keep or tests or faults or suspicious):
            capture.file.unlink()
        return judgement is not None

    def row(self) -> Row:
        """tshark's judgement of the whole run."""
        now = time.time()
        row = Row("", "tshark", tshark.version(), "an independent reading of every frame of the run")
        if self._unable:
            row.tests = [results.skipped(name, f"nothing could be captured: {self._unable}", now) for name in _NAMES]
            return row
        broker_frames = sum(each.broker.frames for each in self._read.values())
        client_frames = sum(each.clients.frames for each in self._read.values())
        if self._read and not broker_frames:
            self._unread.append("there is no AMQP frame of the broker in it")
        faults = [
            f"{name}: {each.broker.packets} packets of the broker; the capture is {name}.pcapng\n" + "\n".join(each.broker.faults)
            for name, each in self._read.items()
            if each.broker.packets
        ]
        row.tests = [results.judged(_NAMES[0], self._unread, self._began, now),
                     results.judged(_NAMES[1], faults, self._began, now)]  # fmt: skip
        connections = sum(each.connections for each in self._read.values())
        cut_off = sum(each.cut_off for each in self._read.values())
        row.notes.append(f"{connections:,} connections, {broker_frames:,} frames of the broker, {client_frames:,} of clients")
        if cut_off:
            row.notes.append(f"{cut_off} connections ended within a frame, since the broker was killed or the client was gone")
        row.notes += [note for name, each in self._read.items() for note in _notes(name, each)]
        return row

    def end(self) -> None:
        """Nothing is captured any more."""
        if self._capture:
            self._capture.kill()


def _notes(name: str, judgement: tshark.Judgement) -> list[str]:
    """What is no fault of the broker, but worth a look."""
    notes = []
    clients = judgement.clients
    if clients.packets:
        notes.append(
            f"{name}: {clients.packets} packets that a client sent are malformed or not AMQP; some clients send such on purpose\n"
            + "\n".join(clients.faults)
        )
    if judgement.broker.messages:
        kinds = ", ".join(f"{text} ({count})" for text, count in judgement.broker.in_messages.most_common(5))
        notes.append(f"{name}: {judgement.broker.messages} packets with messages, as clients sent them, that tshark cannot read: {kinds}")
    if judgement.broker.lost:
        notes.append(f"{name}: on {len(judgement.broker.lost)} connections it gave up within a message; what the broker sent there after it is not judged")
    return notes

"""tshark, which knows AMQP 1.0 and nothing of the broker: it judges all frames of a capture, and decodes some."""

import os
import re
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

# Of a test that did not pass, these many frames are shown, and so much of each.
MOST_FRAMES = 200
_LONGEST = 700
# Faults are counted all, and described up to this number.
_MOST_DESCRIBED = 50
_MINUTES = 15
_MOST_NUMBERS = 2000
# Of suspicious packets of the same kind so many are looked at: a client may send thousands of messages that tshark cannot read.
_MOST_OF_A_KIND = 300
_TRANSFER = 20

# tshark's expert information: from this severity on; not of these groups, which tell of TCP (checksums, sequence).
_WARNING = 0x600000
_NOT_OURS = (0x01000000, 0x02000000)

# A packet whose bytes TCP has sent before is not read twice.
_AGAIN = ("tcp.analysis.retransmission", "tcp.analysis.spurious_retransmission", "tcp.analysis.keep_alive")
_FIELDS = ("frame.number", "frame.time_epoch", "tcp.srcport", "tcp.stream", "tcp.seq", "tcp.len", "tcp.flags.fin", "tcp.flags.reset",
           "amqp.length", "amqp.init.protocol", "tcp.segment_data", "_ws.malformed", "_ws.expert.severity", "_ws.expert.group",
           "_ws.expert.message", *_AGAIN)  # fmt: skip
_HEADER_BYTES = 8
# A broker that is killed ends its connections at any byte. So far apart may be what is seen of that.
_KILL_SECONDS = 2
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNREAD = "not read as AMQP"


class Failed(Exception):
    """tshark did not do it. The message says why."""


@dataclass(frozen=True)
class Span:
    """A time, in seconds since 1970."""

    began: float
    ended: float


@dataclass(frozen=True)
class Fault:
    """Something wrong with a packet."""

    text: str
    # Whether it is in the sections of a message, behind the header.
    in_message: bool = False
    # Whether tshark did not read the rest of the packet.
    gave_up: bool = False


@dataclass
class Sender:
    """What tshark finds in that which one side sent."""

    frames: int = 0
    # Numbers of the packets that something is wrong with, and how many there are of each kind.
    suspects: list[str] = field(default_factory=list)
    kinds: Counter = field(default_factory=Counter)
    # How many of these have a fault of the frame, and these faults, a line each; the first of them only.
    packets: int = 0
    faults: list[str] = field(default_factory=list)
    # Connections on which tshark gave up within a message, and lost its place: what follows is not judged.
    lost: set[int] = field(default_factory=set)
    # How many packets have faults in messages only, and what these are.
    messages: int = 0
    in_messages: Counter = field(default_factory=Counter)


@dataclass
class Judgement:
    """What tshark finds in a capture."""

    connections: int = 0
    # Those that ended within a frame of the broker since it was killed or the client was gone.
    cut_off: int = 0
    broker: Sender = field(default_factory=Sender)
    clients: Sender = field(default_factory=Sender)


@dataclass
class _Stream:
    """What the broker sent on a connection."""

    number: str
    sent_bytes: int = 0
    read_bytes: int = 0
    suspicious: bool = False
    # Who ended it, and when.
    ended_by_broker: bool | None = None
    ended: float = 0.0

    def packet(self, from_broker: bool, end: int, read: int, ends: bool, moment: float) -> None:
        if from_broker:
            self.sent_bytes = max(self.sent_bytes, end)
            self.read_bytes += read
        if ends and self.ended_by_broker is None:
            self.ended_by_broker, self.ended = from_broker, moment

    @property
    def left(self) -> int:
        """Bytes that belong to no frame. What follows a message that tshark cannot read is not known."""
        return 0 if self.suspicious else self.sent_bytes - self.read_bytes


def version() -> str:
    """Of the tshark that is installed; empty if there is none."""
    try:
        said = subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""
    found = re.search(r"\d+\.\d+[.\w]*", said)
    return found.group() if found else ""


def judge(file: Path, ports: list[int], kills: list[float] | None = None) -> Judgement:
    """Reads the whole capture, of a broker that was killed at these times."""
    found = Judgement()
    streams: dict[str, _Stream] = {}
    wanted = "tcp.len > 0 or tcp.flags.fin == 1 or tcp.flags.reset == 1"
    arguments = ["-Y", wanted, "-T", "fields", "-E", "separator=/t", "-E", "aggregator=|"]
    for name in _FIELDS:
        arguments += ["-e", name]
    for line in _lines(file, ports, arguments):
        values = dict(zip(_FIELDS, line.split("\t")))
        from_broker = int(values["tcp.srcport"]) in ports
        sender = found.broker if from_broker else found.clients
        stream = streams.setdefault(values["tcp.stream"], _Stream(values["tcp.stream"]))
        lengths = [int(each) for each in _values(values["amqp.length"])]
        headers = _values(values["amqp.init.protocol"])
        length = int(values["tcp.len"])
        sender.frames += len(lengths)
        stream.packet(
            from_broker, int(values["tcp.seq"]) + length - 1 if length else 0, sum(lengths) + _HEADER_BYTES * len(headers),
            "1" in (values["tcp.flags.fin"], values["tcp.flags.reset"]), float(values["frame.time_epoch"]),
        )  # fmt: skip
        # A segment is a piece of a frame whose rest comes later.
        read = not length or lengths or headers or values["tcp.segment_data"] or any(values[each] for each in _AGAIN)
        complaints = _complaints(values)
        if values["_ws.malformed"] or not read or complaints:
            gave_up = not read or any(re.search("Malformed Packet|failed assertion", each) for each in complaints)
            _suspect(sender, values, frozenset() if gave_up else complaints)
            stream.suspicious = stream.suspicious or from_broker
    found.connections = len(streams)
    for stream in streams.values():
        _end_of(stream, found, kills or [])
    _describe(found.broker, file, ports, None)
    _describe(found.clients, file, ports, _MOST_DESCRIBED)
    return found


def _end_of(stream: _Stream, found: Judgement, kills: list[float]) -> None:
    """A broker that ends a connection by itself ends it behind a frame."""
    if stream.left <= 0:
        return
    killed = any(abs(stream.ended - each) < _KILL_SECONDS for each in kills)
    if stream.ended_by_broker and not killed:
        found.broker.packets += 1
        found.broker.faults.append(f"connection {stream.number}: the broker ended it within a frame; {stream.left} bytes are no whole one")
    else:
        found.cut_off += 1


def frames(file: Path, ports: list[int], spans: list[Span]) -> list[list[str]]:
    """The last frames of each span, decoded, a line each, in one pass over the capture."""
    kept: list[deque[str]] = [deque(maxlen=MOST_FRAMES) for _ in spans]
    if spans:
        times = " or ".join(f"(frame.time_epoch >= {each.began:.6f} and frame.time_epoch <= {each.ended:.6f})" for each in spans)
        for packet in _packets(file, ports, f"amqp and ({times})"):
            moment = float(packet.find("./proto[@name='geninfo']/field[@name='timestamp']").get("value"))
            lines = decoded(packet, ports)
            for span, lines_of_span in zip(spans, kept):
                if span.began <= moment <= span.ended:
                    lines_of_span.extend(lines)
    return [list(each) for each in kept]


def decoded(packet: ElementTree.Element, ports: list[int]) -> list[str]:
    """The AMQP frames of a packet, a line each."""
    where = _where(packet, ports)
    lines = []
    for protocol in packet.findall("./proto[@name='amqp']"):
        text = _frame(protocol)
        lines.append(f"{where} {text if len(text) <= _LONGEST else text[:_LONGEST] + ' ...'}")
    for fault in faults_of(packet):
        lines.append(f"{where} !! {fault.text}")
    return lines


def faults_of(packet: ElementTree.Element) -> list[Fault]:
    """What tshark finds wrong with the AMQP of a packet."""
    frames_read = packet.findall("./proto[@name='amqp']")
    faults = []
    for frame in frames_read:
        # What follows the performative of a transfer and the header of a message is the client's. A broker passes it on as it came,
        # byte for byte, and tshark reads it with flaws of its own (see the README), so it is no fault of the frame.
        in_message = False
        for part in frame.findall("field"):
            for each in part.iter("field"):
                if each.get("name") == "_ws.expert" and _number(each, "_ws.expert.severity") >= _WARNING:
                    text = re.sub(r"^Expert Info \(.*?\): ", "", each.get("showname", "expert information"))
                    faults.append(Fault(text, in_message and part.get("name") != "amqp.header"))
            in_message = in_message or part.get("name") == "amqp.method.arguments" and _is_transfer(frame)
    for each in packet.findall("./proto[@name='_ws.malformed']"):
        faults.append(Fault(each.get("showname", "malformed"), bool(frames_read) and _ends_in_message(frames_read[-1]), gave_up=True))
    if not faults and not frames_read:
        faults.append(Fault(_UNREAD))
    return faults


def _ends_in_message(frame: ElementTree.Element) -> bool:
    """Whether tshark gave up behind the performative of a transfer: it has read all arguments that there are."""
    if not _is_transfer(frame):
        return False
    arguments = next((each for each in frame.findall("field") if each.get("name") == "amqp.method.arguments"), None)
    if arguments is None or len(arguments) == 0:
        return False
    last = arguments[-1]
    return _end(last) == _end(arguments)


def _is_transfer(frame: ElementTree.Element) -> bool:
    return _number(frame, "amqp.performative") == _TRANSFER


def _end(element: ElementTree.Element) -> int:
    return int(element.get("pos", "0")) + int(element.get("size", "0"))


def _describe(sender: Sender, file: Path, ports: list[int], number_of_packets: int | None) -> None:
    """Sorts what was suspicious into faults of frames and of messages."""
    suspects = sender.suspects[:number_of_packets]
    for first in range(0, len(suspects), _MOST_NUMBERS):
        numbers = ", ".join(suspects[first : first + _MOST_NUMBERS])
        for packet in _packets(file, ports, f"frame.number in {{{numbers}}}"):
            stream = _number(packet, "tcp.stream")
            if stream in sender.lost:
                continue
            faults = faults_of(packet)
            if any(each.in_message and each.gave_up for each in faults):
                sender.lost.add(stream)
            of_frames = list(dict.fromkeys(each.text for each in faults if not each.in_message))
            of_messages = list(dict.fromkeys(each.text for each in faults if each.in_message))
            sender.in_messages.update(of_messages)
            sender.packets += bool(of_frames)
            sender.messages += bool(of_messages and not of_frames)
            if of_frames and sender.packets <= _MOST_DESCRIBED:
                sender.faults += [f"{_where(packet, ports)} packet {packet_number(packet)}: {text}" for text in of_frames]
                sender.faults += [f"    {line}" for line in decoded(packet, ports)[-6:]]


def packet_number(packet: ElementTree.Element) -> str:
    return packet.find("./proto[@name='geninfo']/field[@name='num']").get("show")


def _complaints(values: dict[str, str]) -> frozenset[str]:
    """The kinds of expert information in a packet, without their numbers."""
    experts = zip(*(_values(values[f"_ws.expert.{each}"]) for each in ("severity", "group", "message")))
    return frozenset(
        re.sub(r"(0x[0-9a-f]+|\d+|\".*\")", "N", text)
        for severity, group, text in experts
        if int(severity) >= _WARNING and int(group) not in _NOT_OURS
    )


def _suspect(sender: Sender, values: dict[str, str], kind: frozenset[str]) -> None:
    """Puts a packet down to be looked at. Without a kind it always is."""
    if kind:
        sender.kinds[kind] += 1
        if sender.kinds[kind] > _MOST_OF_A_KIND:
            sender.messages += 1
            return
    sender.suspects.append(values["frame.number"])


def _values(text: str) -> list[str]:
    return text.split("|") if text else []


def _where(packet: ElementTree.Element, ports: list[int]) -> str:
    moment = float(packet.find("./proto[@name='geninfo']/field[@name='timestamp']").get("value"))
    tcp = packet.find("./proto[@name='tcp']")
    source, target = _number(tcp, "tcp.srcport"), _number(tcp, "tcp.dstport")
    client = target if source in ports else source
    arrow = "<-" if source in ports else "->"
    clock = time.strftime("%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1_000_000):06d}"
    return f"{clock} {client} {arrow}"


def _number(element: ElementTree.Element, name: str) -> int:
    found = next((each for each in element.iter("field") if each.get("name") == name), None)
    return int(found.get("show")) if found is not None else 0


def _frame(protocol: ElementTree.Element) -> str:
    """A frame as a line: "[0] transfer Handle: 0, Delivery-Id: 1 | Message-Header Durable: True | ..."."""
    channel, name, parts, header = "", "", [], []
    for each in protocol.findall("field"):
        key, shown = each.get("name", ""), _shown(each)
        if key in ("amqp.doff", "amqp.type", "_ws.expert"):
            continue
        if key.startswith("amqp.init."):
            header.append(each.get("show", ""))
        elif key == "amqp.length":
            name = f"{each.get('show')} bytes, no performative"
        elif key == "amqp.channel":
            channel = f"[{each.get('show')}] "
        elif key in ("amqp.performative", "amqp.sasl.method"):
            name = re.sub(r"^.*?: | \(\d+\)$", "", each.get("showname", ""))
        elif key == "amqp.method.arguments":
            name += " " + _children(each)
        else:
            parts.append(shown)
    if header:
        return "header " + " ".join(header)
    return (channel + " | ".join(part for part in (name.strip(), *parts) if part)).strip()


def _shown(element: ElementTree.Element) -> str:
    """A field with what is in it, shorter than tshark says it."""
    text = element.get("showname") or element.get("show") or ""
    inner = _children(element)
    collection = re.fullmatch(r"(.*) \((array|list|map) of \d+ elements?\)", text)
    if not collection:
        return f"{text} {{{inner}}}" if inner else text
    name, kind = collection.group(1), collection.group(2)
    if kind == "map":
        return f"{name} {{{inner}}}"
    # Each element of an array repeats the name and the type.
    return f"{name} [{re.sub(rf'{re.escape(name)} [(][^)]*[)]: ', '', inner)}]"


def _children(element: ElementTree.Element) -> str:
    return ", ".join(_shown(each) for each in element.findall("field") if each.get("name") != "_ws.expert")


def _packets(file: Path, ports: list[int], wanted: str) -> Iterator[ElementTree.Element]:
    """The packets that a display filter lets through, as PDML."""
    packet: list[str] = []
    for line in _lines(file, ports, ["-Y", wanted, "-T", "pdml"]):
        if line == "<packet>":
            packet = []
        packet.append(line)
        if line == "</packet>":
            # tshark lets characters through that XML knows not.
            yield ElementTree.fromstring(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", "\n".join(packet)))


def _lines(file: Path, ports: list[int], arguments: list[str]) -> Iterator[str]:
    with tempfile.TemporaryFile("w+b") as out:
        _tshark(file, ports, arguments, out)
        out.seek(0)
        for line in out:
            yield line.decode(errors="replace").rstrip("\n")


def _tshark(file: Path, ports: list[int], arguments: list[str], out) -> None:
    command = ["tshark", "-n", "-r", str(file), "-o", "tcp.reassemble_out_of_order:TRUE"]
    for port in ports:
        command += ["-d", f"tcp.port=={port},amqp"]
    # Whatever the user has set in Wireshark, it does not change the judgement.
    with tempfile.TemporaryDirectory(prefix="millrace-tshark-") as settings:
        try:
            done = subprocess.run(
                [*command, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, text=True,
                env=os.environ | {"WIRESHARK_CONFIG_DIR": settings, "TZ": "UTC"}, timeout=60 * _MINUTES, check=False,
            )  # fmt: skip
        except OSError as e:
            raise Failed(str(e)) from e
        except subprocess.TimeoutExpired as e:
            raise Failed(f"tshark had not read {file.name} after {_MINUTES} minutes") from e
    if done.returncode:
        raise Failed(f"tshark ended with exit code {done.returncode}: {done.stderr.strip()[-500:]}")

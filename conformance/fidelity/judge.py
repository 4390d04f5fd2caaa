"""Says whether a message that came back is one that was sent: what must be the same, byte for byte, and what a broker may change."""

from collections import defaultdict
from typing import Dict, List, NamedTuple, Optional, Tuple

from corpus import APPLICATION_PROPERTIES, DELIVERY_ANNOTATIONS, FOOTER, HEADER, MESSAGE_ANNOTATIONS, PROPERTIES, SYMBOLS, Case

WIDTHS = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}
CODES = {symbol.encode(): code for code, symbol in SYMBOLS.items()}
EXPIRY = 8


def after(data: bytes, at: int) -> int:
    """The position behind the value at `at`."""
    code = data[at]
    if code == 0:
        return after(data, after(data, at + 1))
    if code >> 4 in WIDTHS:
        return at + 1 + WIDTHS[code >> 4]
    width = 1 if code >> 4 in (0xA, 0xC, 0xE) else 4
    return at + 1 + width + int.from_bytes(data[at + 1 : at + 1 + width], "big")


def elements(data: bytes) -> List[bytes]:
    """The encoded elements of an encoded list or map."""
    if data[0] == 0x45:
        return []
    width = 1 if data[0] in (0xC0, 0xC1) else 4
    at = 1 + 2 * width
    found = []
    while at < len(data):
        end = after(data, at)
        found.append(data[at:end])
        at = end
    return found


def number(data: bytes) -> int:
    """An encoded uint, ubyte or boolean."""
    return {0x41: 1, 0x42: 0, 0x43: 0}.get(data[0], int.from_bytes(data[1:], "big"))


class Message(NamedTuple):
    """The parts of a message: of the bare message and footer as they are, of the others what can be compared."""

    header: List[bytes]
    delivery_annotations: bytes
    annotations: List[Tuple[bytes, bytes]]
    properties: bytes
    rest: bytes

    @property
    def bare(self) -> bytes:
        return self.properties + self.rest


def read(data: bytes) -> Message:
    header: List[bytes] = []
    delivery_annotations = properties = b""
    annotations: List[Tuple[bytes, bytes]] = []
    at = 0
    while at < len(data):
        value = after(data, at + 1)
        descriptor = data[at + 1 : value]
        code = CODES[descriptor[2 if descriptor[0] == 0xA3 else 5 :]] if descriptor[0] in (0xA3, 0xB3) else descriptor[-1]
        end = after(data, value)
        if code == HEADER:
            header = elements(data[value:end])
        elif code == DELIVERY_ANNOTATIONS:
            delivery_annotations = data[at:end]
        elif code == MESSAGE_ANNOTATIONS:
            parts = elements(data[value:end])
            annotations = list(zip(parts[::2], parts[1::2]))
        elif code == PROPERTIES:
            properties = data[at:end]
        else:
            break
        at = end
    return Message(header, delivery_annotations, annotations, properties, data[at:])


def field(header: List[bytes], index: int, default: int) -> int:
    return number(header[index]) if index < len(header) and header[index][0] != 0x40 else default


def without_expiry(properties: bytes) -> Optional[List[bytes]]:
    """The fields of properties but the time of expiry; None if there are no properties."""
    if not properties:
        return None
    fields = elements(properties[after(properties, 1) :])
    if len(fields) > EXPIRY:
        fields[EXPIRY] = b"\x40"
    return fields


class Changes(NamedTuple):
    """What a broker may change on a way, beyond the header and annotations of its own."""

    # The time to live and the time of expiry go: a dead message is not to die again of old age.
    expiry: bool = False
    # How many failed attempts the header must tell of; None: any.
    attempts: Optional[int] = 0


def difference(sent: Message, got: Message, may: Changes) -> str:
    """What is not as it must be; empty if all is well."""
    if sent.rest != got.rest:
        return "the sections from the application properties to the footer differ" + first_difference(sent.rest, got.rest)
    if sent.properties != got.properties:
        dead = without_expiry(sent.properties), without_expiry(got.properties)
        if not may.expiry or dead[0] != dead[1]:
            return "the properties differ" + first_difference(sent.properties, got.properties)
    if got.delivery_annotations not in (sent.delivery_annotations, b""):
        return "the delivery annotations differ" + first_difference(sent.delivery_annotations, got.delivery_annotations)
    kept = [entry for entry in got.annotations if entry in sent.annotations]
    if kept != sent.annotations:
        return f"of {len(sent.annotations)} message annotations {len(kept)} came back as they were"
    added = [key for key, _ in got.annotations if key not in [k for k, _ in sent.annotations]]
    if any(key[0] != 0xA3 or not key[2:].startswith(b"x-opt-") for key in added):
        return "message annotations were added whose keys do not begin with x-opt-"
    if len(got.annotations) != len(sent.annotations) + len(added):
        return "a message annotation came back twice"
    return header_difference(sent.header, got.header, may)


def header_difference(sent: List[bytes], got: List[bytes], may: Changes) -> str:
    if field(sent, 0, 0) != field(got, 0, 0):
        return "durable differs"
    if field(sent, 1, 4) != field(got, 1, 4):
        return f"the priority was {field(sent, 1, 4)} and is {field(got, 1, 4)}"
    ttl = field(sent, 2, -1), field(got, 2, -1)
    if not (ttl[1] <= ttl[0] and (ttl[1] >= 0) == (ttl[0] >= 0)) and not (may.expiry and ttl[1] < 0):
        return f"the ttl was {ttl[0]} and is {ttl[1]}"
    if may.attempts is not None and field(got, 4, 0) != may.attempts:
        return f"the delivery count is {field(got, 4, 0)}, not {may.attempts}"
    return ""


def first_difference(sent: bytes, got: bytes) -> str:
    at = next((n for n, (a, b) in enumerate(zip(sent, got)) if a != b), min(len(sent), len(got)))
    start = max(0, at - 8)
    return f", first at byte {at}: sent …{sent[start:at + 24].hex()} ({len(sent)} bytes), got …{got[start:at + 24].hex()} ({len(got)} bytes)"


def key(message: Message) -> Tuple:
    """What finds the case that a message may be; the properties are compared later."""
    return (len(message.rest), message.rest)


def judge(cases: List[Case], received: List[bytes], may: Changes = Changes()) -> List[Optional[Case]]:
    """
    Finds for each message that came which case it is, each case once; in any order, for priorities may change it.

    Raises AssertionError if one is none of them or differs, or if one is missing.
    """
    sent: Dict[Tuple, List[Tuple[Case, Message]]] = defaultdict(list)
    for case in cases:
        message = read(case.bytes)
        sent[key(message)].append((case, message))
    faults = []
    found: List[Optional[Case]] = []
    for data in received:
        got = read(data)
        candidates = sent[key(got)]
        reasons = [difference(message, got, may) for _, message in candidates]
        if "" in reasons:
            found.append(candidates.pop(reasons.index(""))[0])
            continue
        found.append(None)
        if candidates:
            faults.append(f"{candidates.pop(0)[0].name}: {reasons[0]}")
        else:
            faults.append(f"a message came that nobody sent: {data[:200].hex()}{'…' if len(data) > 200 else ''}")
    missing = [case.name for candidates in sent.values() for case, _ in candidates]
    if missing:
        faults.append(f"{len(missing)} did not come: " + "; ".join(missing[:5]))
    if faults:
        raise AssertionError(f"{len(faults)} faults among {len(cases)} messages:\n" + "\n".join(faults[:10]))
    return found

"""Says whether a message that came back is one that was sent: what must be the same, byte for byte, and what a broker may change."""

from collections import defaultdict
from typing import Dict, List, NamedTuple, Optional, Tuple

from corpus import DELIVERY_ANNOTATIONS, HEADER, MESSAGE_ANNOTATIONS, PROPERTIES, SYMBOLS, Case

WIDTHS = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}
CODES = {symbol.encode(): code for code, symbol in SYMBOLS.items()}
EXPIRY = 8


class Malformed(AssertionError):
    """What came back is no message."""


def after(data: bytes, at: int) -> int:
    """The position behind the value at `at`."""
    if at >= len(data):
        raise Malformed("it ends in the middle of a value")
    code = data[at]
    if code == 0:
        return after(data, after(data, at + 1))
    if code >> 4 in WIDTHS:
        return at + 1 + WIDTHS[code >> 4]
    width = 1 if code >> 4 in (0xA, 0xC, 0xE) else 4
    return at + 1 + width + int.from_bytes(data[at + 1 : at + 1 + width], "big")


LIST, MAP = (0xC0, 0xD0, 0x45), (0xC1, 0xD1)


def elements(data: bytes, kind: Tuple[int, ...]) -> List[bytes]:
    """The encoded elements of an encoded list or map, which must be what its size and count say."""
    if data[0] not in kind:
        raise Malformed(f"constructor 0x{data[0]:02x} where a {'list' if kind == LIST else 'map'} must be")
    if data[0] == 0x45:
        return []
    width = 1 if data[0] < 0xD0 else 4
    size, count = (int.from_bytes(data[1 + n * width : 1 + (n + 1) * width], "big") for n in range(2))
    at = 1 + 2 * width
    found = []
    while at < len(data):
        end = after(data, at)
        found.append(data[at:end])
        at = end
    if size != len(data) - 1 - width or count != len(found) or at != len(data):
        raise Malformed(f"a list or map of {size} bytes and {count} elements has {len(data) - 1 - width} and {len(found)}")
    return found


def section_at(data: bytes, at: int) -> Tuple[int, int]:
    """The code of the section at `at`, and where its value starts."""
    value = after(data, at + 1)
    descriptor = data[at + 1 : value]
    if data[at] != 0:
        raise Malformed(f"no section at byte {at}")
    if descriptor[0] in (0xA3, 0xB3):
        code = CODES.get(descriptor[2 if descriptor[0] == 0xA3 else 5 :], 0)
    else:
        code = int.from_bytes(descriptor[1:], "big") if descriptor[0] in (0x53, 0x80) else 0
    if code not in SYMBOLS:
        raise Malformed(f"no section at byte {at}: {descriptor.hex()}")
    return code, value


def number(data: bytes) -> int:
    """An encoded uint, ubyte or boolean."""
    if data[0] not in (0x41, 0x42, 0x43, 0x50, 0x52, 0x56, 0x70):
        raise Malformed(f"constructor 0x{data[0]:02x} in a header")
    return {0x41: 1, 0x42: 0, 0x43: 0}.get(data[0], int.from_bytes(data[1:], "big"))


class Message(NamedTuple):
    """The parts of a message: of the bare message and footer as they are, of the others what can be compared."""

    header: List[bytes]
    delivery_annotations: bytes
    annotations: List[Tuple[bytes, bytes]]
    properties: bytes
    rest: bytes


def read(data: bytes) -> Message:
    header: List[bytes] = []
    delivery_annotations = properties = b""
    annotations: List[Tuple[bytes, bytes]] = []
    at = previous = 0
    while at < len(data):
        code, value = section_at(data, at)
        if code <= previous:
            raise Malformed(f"{SYMBOLS[code]} behind {SYMBOLS[previous]}")
        end = after(data, value)
        if code == HEADER:
            header = elements(data[value:end], LIST)
        elif code == DELIVERY_ANNOTATIONS:
            delivery_annotations = data[at:end]
        elif code == MESSAGE_ANNOTATIONS:
            parts = elements(data[value:end], MAP)
            annotations = list(zip(parts[::2], parts[1::2]))
        elif code == PROPERTIES:
            properties = data[at:end]
        else:
            break
        at, previous = end, code
    return Message(header, delivery_annotations, annotations, properties, data[at:])


def field(header: List[bytes], index: int, default: int) -> int:
    return number(header[index]) if index < len(header) and header[index][0] != 0x40 else default


def without_expiry(properties: bytes) -> Optional[List[bytes]]:
    """The fields of properties but the time of expiry; None if there are no properties."""
    if not properties:
        return None
    fields = elements(properties[after(properties, 1) :], LIST)
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
        if not may.expiry or without_expiry(sent.properties) != without_expiry(got.properties):
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
    here = slice(start, at + 24)
    return f", first at byte {at}: sent …{sent[here].hex()} ({len(sent)} bytes), got …{got[here].hex()} ({len(got)} bytes)"


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
        try:
            got = read(data)
        except Malformed as fault:
            faults.append(f"what came is no message: {fault}: {data[:200].hex()}")
            found.append(None)
            continue
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

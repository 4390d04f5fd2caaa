"""The messages of the fidelity suite: bytes, and what they mean.

Everything is encoded here by hand, in the encoding that the name of the case says, so that no codec of a client decides what is sent.
The corpus is the same in every run. `python3 corpus.py` prints it as JSON, one message a line, for use with other clients.
"""

import json
import struct
import sys
import uuid
from dataclasses import dataclass
from itertools import combinations
from typing import Iterator, List, NamedTuple, Optional, Tuple

UUID = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"

HEADER, DELIVERY_ANNOTATIONS, MESSAGE_ANNOTATIONS, PROPERTIES, APPLICATION_PROPERTIES = range(0x70, 0x75)
DATA, SEQUENCE, VALUE, FOOTER = range(0x75, 0x79)

SYMBOLS = {
    HEADER: "amqp:header:list",
    DELIVERY_ANNOTATIONS: "amqp:delivery-annotations:map",
    MESSAGE_ANNOTATIONS: "amqp:message-annotations:map",
    PROPERTIES: "amqp:properties:list",
    APPLICATION_PROPERTIES: "amqp:application-properties:map",
    DATA: "amqp:data:binary",
    SEQUENCE: "amqp:amqp-sequence:list",
    VALUE: "amqp:amqp-value:*",
    FOOTER: "amqp:footer:map",
}


class V(NamedTuple):
    """An encoded value. The constructor is apart from what follows it because an array has it once for all elements."""

    constructor: bytes
    payload: bytes
    means: str

    @property
    def bytes(self) -> bytes:
        return self.constructor + self.payload


def fixed(code: int, payload: bytes, means: str) -> V:
    return V(bytes([code]), payload, means)


def variable(code: int, content: bytes, means: str) -> V:
    width = ">B" if code < 0xB0 else ">I"
    return V(bytes([code]), struct.pack(width, len(content)) + content, means)


def compound(code: int, elements: List[V], means: str) -> V:
    content = b"".join(e.bytes for e in elements)
    if code < 0xD0:
        return V(bytes([code]), struct.pack(">BB", len(content) + 1, len(elements)) + content, means)
    return V(bytes([code]), struct.pack(">II", len(content) + 4, len(elements)) + content, means)


NULL = fixed(0x40, b"", "null")
TRUE = fixed(0x41, b"", "boolean true")
FALSE = fixed(0x42, b"", "boolean false")
LIST0 = fixed(0x45, b"", "list[]")


def smalluint(n: int) -> V:
    return fixed(0x52, bytes([n]), f"uint {n}")


def uint(n: int) -> V:
    return fixed(0x70, struct.pack(">I", n), f"uint {n}")


def smallulong(n: int) -> V:
    return fixed(0x53, bytes([n]), f"ulong {n}")


def ulong(n: int) -> V:
    return fixed(0x80, struct.pack(">Q", n), f"ulong {n}")


def integer(n: int) -> V:
    return fixed(0x71, struct.pack(">i", n), f"int {n}")


def ubyte(n: int) -> V:
    return fixed(0x50, bytes([n]), f"ubyte {n}")


def timestamp(millis: int) -> V:
    return fixed(0x83, struct.pack(">q", millis), f"timestamp {millis}")


def uuid_of(text: str) -> V:
    return fixed(0x98, uuid.UUID(text).bytes, "uuid " + uuid.UUID(text).bytes.hex())


def binary(content: bytes, code: int = 0xA0) -> V:
    return variable(code, content, "binary " + content.hex())


def string(text: str, code: int = 0xA1) -> V:
    return variable(code, text.encode(), "string " + text)


def symbol(text: str, code: int = 0xA3) -> V:
    return variable(code, text.encode("ascii"), "symbol " + text)


def list_of(*elements: V, code: int = 0xC0) -> V:
    return compound(code, list(elements), "list[" + ", ".join(e.means for e in elements) + "]")


def map_of(*entries: Tuple[V, V], code: int = 0xC1) -> V:
    means = ", ".join(f"{key.means}: {value.means}" for key, value in entries)
    return compound(code, [part for entry in entries for part in entry], "map{" + means + "}")


def array_of(*elements: V, code: int = 0xE0, of: Optional[V] = None) -> V:
    """An array; `of` is a value of its type, needed only when there are no elements."""
    constructor = (of or elements[0]).constructor
    if any(e.constructor != constructor for e in elements):
        raise ValueError("elements of an array have one constructor")
    content = constructor + b"".join(e.payload for e in elements)
    sizes = struct.pack(">BB", len(content) + 1, len(elements)) if code == 0xE0 else struct.pack(">II", len(content) + 4, len(elements))
    return V(bytes([code]), sizes + content, "array[" + ", ".join(e.means for e in elements) + "]")


def described(descriptor: V, value: V) -> V:
    return V(b"\0" + descriptor.bytes + value.constructor, value.payload, f"described({descriptor.means}, {value.means})")


def section(code: int, value: V, descriptor: Optional[V] = None) -> V:
    return V(b"\0" + (descriptor or smallulong(code)).bytes + value.constructor, value.payload, value.means)


def primitives() -> Iterator[Tuple[str, V]]:
    """Each primitive type in each of its encodings, with its smallest, largest and oddest values."""
    yield "null", NULL
    yield "boolean true", TRUE
    yield "boolean false", FALSE
    yield "boolean true in two bytes", fixed(0x56, b"\1", "boolean true")
    yield "boolean false in two bytes", fixed(0x56, b"\0", "boolean false")
    for n in 0, 255:
        yield f"ubyte {n}", ubyte(n)
        yield f"smalluint {n}", smalluint(n)
        yield f"smallulong {n}", smallulong(n)
    for n in 0, 65535:
        yield f"ushort {n}", fixed(0x60, struct.pack(">H", n), f"ushort {n}")
    yield "uint0", fixed(0x43, b"", "uint 0")
    yield "ulong0", fixed(0x44, b"", "ulong 0")
    for n in 0, 1, 2**32 - 1:
        yield f"uint {n}", uint(n)
    for n in 0, 1, 2**53 - 1, 2**64 - 1:
        yield f"ulong {n}", ulong(n)
    for n in -128, 127:
        yield f"byte {n}", fixed(0x51, struct.pack(">b", n), f"byte {n}")
        yield f"smallint {n}", fixed(0x54, struct.pack(">b", n), f"int {n}")
        yield f"smalllong {n}", fixed(0x55, struct.pack(">b", n), f"long {n}")
    for n in -(2**15), 2**15 - 1:
        yield f"short {n}", fixed(0x61, struct.pack(">h", n), f"short {n}")
    for n in -(2**31), -1, 0, 2**31 - 1:
        yield f"int {n}", integer(n)
    for n in -(2**63), -1, 0, 2**63 - 1:
        yield f"long {n}", fixed(0x81, struct.pack(">q", n), f"long {n}")
    for bits, what in (
        ("00000000", "0"), ("80000000", "-0"), ("3f800000", "1"), ("00000001", "smallest"), ("7f7fffff", "largest"),
        ("7f800000", "infinite"), ("ff800000", "-infinite"), ("7fc00000", "not a number"), ("ffc12345", "another not a number"),
    ):
        yield f"float {what}", fixed(0x72, bytes.fromhex(bits), "float " + ("NaN" if "not" in what else bits))
    for bits, what in (
        ("0000000000000000", "0"), ("8000000000000000", "-0"), ("3ff0000000000000", "1"), ("0000000000000001", "smallest"),
        ("7fefffffffffffff", "largest"), ("7ff0000000000000", "infinite"), ("fff0000000000000", "-infinite"),
        ("7ff8000000000000", "not a number"), ("fff8123456789abc", "another not a number"),
    ):
        yield f"double {what}", fixed(0x82, bytes.fromhex(bits), "double " + ("NaN" if "not" in what else bits))
    for code, width, zero in (0x74, 4, "22500000"), (0x84, 8, "2238000000000000"), (0x94, 16, "2208" + "00" * 14):
        bits = width * 8
        yield f"decimal{bits} 0", fixed(code, bytes.fromhex(zero), f"decimal{bits} {zero}")
        digits = "2f" + "12" * (width - 1)
        yield f"decimal{bits} of many digits", fixed(code, bytes.fromhex(digits), f"decimal{bits} {digits}")
        infinite = "f8" + "00" * (width - 1)
        yield f"decimal{bits} -infinite", fixed(code, bytes.fromhex(infinite), f"decimal{bits} {infinite}")
        nan = "7c" + "00" * (width - 1)
        yield f"decimal{bits} not a number", fixed(code, bytes.fromhex(nan), f"decimal{bits} {nan}")
    for point in 0, 0x41, 0xFFFF, 0x1F600, 0x10FFFF:
        yield f"char U+{point:04X}", fixed(0x73, struct.pack(">I", point), f"char {point}")
    for millis in 0, 1, -1, 1700000000123, 253402300799999, -62135596800000:
        yield f"timestamp {millis}", timestamp(millis)
    yield "uuid", uuid_of(UUID)
    yield "uuid of zeroes", uuid_of("00000000-0000-0000-0000-000000000000")
    for code, name in (0xA0, "vbin8"), (0xB0, "vbin32"):
        yield f"{name} empty", binary(b"", code)
        yield f"{name} of all bytes", binary(bytes(range(255)), code)
    yield "vbin32 of 256 bytes", binary(bytes(range(256)), 0xB0)
    for code, name in (0xA1, "str8"), (0xB1, "str32"):
        yield f"{name} empty", string("", code)
        yield f"{name} with a zero in it", string("a\0b", code)
        yield f"{name} of one, two, three and four bytes a letter", string("a\u00e9\u20ac\U0001f600\ufeff\uffff", code)
        yield f"{name} of 255 bytes", string("x" * 255, code)
    yield "str32 of 256 bytes", string("x" * 256, 0xB1)
    for code, name in (0xA3, "sym8"), (0xB3, "sym32"):
        yield f"{name} empty", symbol("", code)
        yield f"{name}", symbol("x-opt-some:thing", code)
        yield f"{name} of 255 bytes", symbol("s" * 255, code)
    yield "sym32 of 256 bytes", symbol("s" * 256, 0xB3)


def compounds() -> Iterator[Tuple[str, V]]:
    """Lists, maps, arrays and described values: empty, in each encoding, nested, large."""
    one = fixed(0x54, b"\1", "int 1")
    yield "list0", LIST0
    yield "list8 empty", list_of()
    yield "list32 empty", list_of(code=0xD0)
    yield "list8", list_of(one, NULL, string("two"))
    yield "list32", list_of(one, NULL, string("two"), code=0xD0)
    yield "list8 of 254 nulls", compound(0xC0, [NULL] * 254, "list[" + ", ".join(["null"] * 254) + "]")
    yield "list32 of 1000", list_of(*[integer(n) for n in range(1000)], code=0xD0)
    yield "map8 empty", map_of()
    yield "map32 empty", map_of(code=0xD1)
    yield "map8", map_of((string("a"), one), (symbol("a"), NULL))
    yield "map32", map_of((string("a"), one), (symbol("a"), NULL), code=0xD1)
    yield "map32 of 500", map_of(*[(string(f"key {n}"), integer(n)) for n in range(500)], code=0xD1)
    mixed = [TRUE, one, ulong(7), uuid_of(UUID), timestamp(5), binary(b"\0\1"), list_of(one), map_of((one, one))]
    yield "map with keys of many types", map_of(*[(key, string("value")) for key in mixed])
    yield "array8 of int", array_of(integer(1), integer(-1))
    yield "array32 of int", array_of(integer(1), integer(-1), code=0xF0)
    yield "array8 empty", array_of(of=integer(0))
    yield "array32 empty", array_of(of=string(""), code=0xF0)
    yield "array of ulong", array_of(ulong(0), ulong(2**64 - 1))
    yield "array of smallulong", array_of(smallulong(0), smallulong(255))
    yield "array of booleans in two bytes", array_of(fixed(0x56, b"\1", "boolean true"), fixed(0x56, b"\0", "boolean false"))
    yield "array of true, which takes no bytes", array_of(TRUE, TRUE, TRUE)
    yield "array of null", array_of(NULL, NULL)
    yield "array of str8", array_of(string("a"), string(""))
    yield "array of str32", array_of(string("a", 0xB1), string("b" * 300, 0xB1), code=0xF0)
    yield "array of symbols", array_of(symbol("a"), symbol("b"))
    yield "array of uuids", array_of(*[uuid_of(f"{n:032x}") for n in range(3)])
    yield "array of decimals", array_of(*[fixed(0x94, bytes([n]) * 16, "decimal128 " + f"{n:02x}" * 16) for n in range(2)])
    yield "array of lists", array_of(list_of(one), list_of(), list_of(NULL, TRUE))
    yield "array of maps", array_of(map_of((string("a"), one)), map_of())
    yield "array of arrays", array_of(array_of(integer(1)), array_of(of=integer(1)), array_of(string("a")))
    yield "array of described strings", array_of(*[described(symbol("x:y"), string(text)) for text in ("a", "b")])
    yield "array of described lists", array_of(*[described(ulong(2**60), list_of(n)) for n in (one, TRUE)], code=0xF0)
    yield "described by an unknown symbol", described(symbol("example:unknown:list"), list_of(one))
    yield "described by an unknown number", described(ulong(0xABCD_0000_0001), list_of(one))
    yield "described by a small number", described(smallulong(5), string("five"))
    yield "described by a string", described(string("a descriptor"), NULL)
    yield "described by a list", described(list_of(one, one), map_of())
    yield "described like a section", described(smallulong(VALUE), string("not a section"))
    yield "described like a header in symbols", described(symbol("amqp:header:list"), LIST0)
    yield "described like an error", described(smallulong(0x1D), list_of(symbol("amqp:internal-error"), string("none")))
    yield "described in a list in a map", map_of((string("a"), list_of(described(symbol("b"), described_in_list(3)))))
    deep = one
    for _ in range(100):
        deep = list_of(deep, code=0xD0)
    yield "list in list, 100 deep", deep
    deep = one
    for _ in range(60):
        deep = map_of((string("k"), deep), code=0xD1)
    yield "map in map, 60 deep", deep
    deep = array_of(integer(1), code=0xF0)
    for _ in range(30):
        deep = array_of(deep, code=0xF0)
    yield "array in array, 30 deep", deep


def described_in_list(depth: int) -> V:
    value = string("end")
    for n in range(depth):
        value = list_of(described(smallulong(n), value))
    return value


NESTED_DESCRIPTORS = "a described value described again"


@dataclass(frozen=True)
class Case:
    """A message: its sections in their order."""

    name: str
    sections: Tuple[Tuple[int, V], ...]
    # Why rhea cannot say what it means; empty if it can.
    rhea: str = ""

    @property
    def bytes(self) -> bytes:
        return b"".join(value.bytes for _, value in self.sections)

    @property
    def means(self) -> List[List]:
        """What its sections mean, without the header, which a broker may change."""
        return [[code, value.means] for code, value in self.sections if code != HEADER]

    def durable(self) -> "Case":
        """This message with a header that says durable and nothing else, if it has none that says durable."""
        if any(code == HEADER and value.means.startswith("list[boolean true") for code, value in self.sections):
            return self
        rest = tuple(s for s in self.sections if s[0] != HEADER)
        return Case(self.name, ((HEADER, DURABLE),) + rest, self.rhea)


DURABLE = section(HEADER, list_of(TRUE))
ANNOTATIONS = map_of((symbol("x-opt-one"), integer(1)), (symbol("x-opt-two"), string("zwei")))


def case(name: str, *sections: Tuple[int, V], rhea: str = "") -> Case:
    return Case(name, tuple((code, section(code, value)) for code, value in sections), rhea)


def everywhere(name: str, value: V, simple: bool, rhea: str = "") -> Iterator[Case]:
    """A value wherever it may be; application properties are for simple types only (part 3, section 3.2.5)."""
    annotated = map_of((symbol("x-opt-value"), value), code=0xD1)
    application = [(APPLICATION_PROPERTIES, map_of((string("value"), value), code=0xD1))] if simple else []
    yield case(
        f"{name}, everywhere and in an amqp-value",
        (HEADER, list_of(TRUE)),
        (DELIVERY_ANNOTATIONS, annotated),
        (MESSAGE_ANNOTATIONS, annotated),
        (PROPERTIES, list_of(string(name[:200]))),
        *application,
        (VALUE, value),
        (FOOTER, annotated),
        rhea=rhea,
    )
    yield case(f"{name}, in an amqp-sequence", (HEADER, list_of(TRUE)), (SEQUENCE, list_of(value, value, code=0xD0)), rhea=rhea)


def types() -> List[Case]:
    return [c for name, value in primitives() for c in everywhere(name, value, simple=True)]


def shapes() -> List[Case]:
    cases = [c for name, value in compounds() for c in everywhere(name, value, simple=False)]
    twice = described(symbol("outer"), described(symbol("inner"), string("value")))
    lost = "rhea/lib/types.js, Reader.read: of several descriptors only the first is kept"
    cases += everywhere(NESTED_DESCRIPTORS, twice, simple=False, rhea=lost)
    eight = string("value")
    for n in range(8):
        eight = described(smallulong(n), eight)
    cases += everywhere("a value described eight times", eight, simple=False, rhea=lost)
    for millis in -(2**63), 2**63 - 1:
        cases += everywhere(
            f"timestamp {millis}",
            timestamp(millis),
            simple=True,
            rhea="rhea/lib/types.js, read_timestamp: new Date(l), where l is a Buffer if it is large; and a Date ends in the year 275760",
        )
    return cases


BODIES = {
    "one data": [(DATA, binary(b"\0\1\2\xff"))],
    "one empty data": [(DATA, binary(b""))],
    "several data": [(DATA, binary(b"one")), (DATA, binary(b"", 0xB0)), (DATA, binary(b"three", 0xB0))],
    "one sequence": [(SEQUENCE, list_of(string("a"), NULL, LIST0))],
    "several sequences": [(SEQUENCE, LIST0), (SEQUENCE, list_of(integer(1))), (SEQUENCE, list_of(integer(2), code=0xD0))],
    "a value": [(VALUE, string("hello"))],
    "a null value": [(VALUE, NULL)],
}
AROUND = {
    HEADER: ("header", list_of(TRUE, ubyte(4))),
    DELIVERY_ANNOTATIONS: ("delivery-annotations", ANNOTATIONS),
    MESSAGE_ANNOTATIONS: ("message-annotations", ANNOTATIONS),
    PROPERTIES: ("properties", list_of(string("id"), NULL, string("somewhere"), string("subject"))),
    APPLICATION_PROPERTIES: ("application-properties", map_of((string("colour"), string("red")), (string("n"), integer(5)))),
    FOOTER: ("footer", map_of((symbol("x-crc"), uint(12)))),
}


def combined(body: str, sections: List[Tuple[int, V]]) -> Iterator[Case]:
    for count in range(len(AROUND) + 1):
        for present in combinations(AROUND, count):
            before = [(code, AROUND[code][1]) for code in present if code < FOOTER]
            after = [(code, AROUND[code][1]) for code in present if code == FOOTER]
            if before or sections or after:
                names = ", ".join(AROUND[code][0] for code in present) or "nothing else"
                yield case(f"{body}, and {names}", *before, *sections, *after)


def combinations_of_sections() -> List[Case]:
    return [c for name, sections in BODIES.items() for c in combined(name, sections)]


def without_body() -> List[Case]:
    return list(combined("no body", []))


def encodings() -> List[Case]:
    """Sections in every encoding that the specification allows, usual or not."""
    cases = []
    descriptors = {
        "small numbers": smallulong,
        "large numbers": ulong,
        "short symbols": lambda code: symbol(SYMBOLS[code]),
        "long symbols": lambda code: symbol(SYMBOLS[code], 0xB3),
    }
    for by, descriptor in descriptors.items():
        for width, small in ("8 bits", True), ("32 bits", False):
            lists, maps, binaries = (0xC0, 0xC1, 0xA0) if small else (0xD0, 0xD1, 0xB0)
            around = [
                (HEADER, list_of(TRUE, NULL, NULL, FALSE, uint(0), code=lists)),
                (DELIVERY_ANNOTATIONS, map_of((symbol("x-opt-a"), TRUE), code=maps)),
                (MESSAGE_ANNOTATIONS, map_of((symbol("x-opt-b"), TRUE), code=maps)),
                (PROPERTIES, list_of(string("id"), NULL, string("to"), code=lists)),
                (APPLICATION_PROPERTIES, map_of((string("a"), TRUE), code=maps)),
            ]
            bodies = {
                "data": [(DATA, binary(b"data", binaries)), (DATA, binary(b"more", binaries))],
                "sequences": [(SEQUENCE, list_of(TRUE, code=lists)), (SEQUENCE, list_of(code=lists))],
                "a value": [(VALUE, list_of(TRUE, code=lists))],
            }
            for kind, body in bodies.items():
                sections = [*around, *body, (FOOTER, map_of((symbol("x-opt-c"), TRUE), code=maps))]
                encoded = tuple((code, section(code, value, descriptor(code))) for code, value in sections)
                cases.append(Case(f"sections described by {by}, sizes of {width}, {kind}", encoded))
    body = (VALUE, string("hello"))
    far = timestamp(4102444800000)
    headers = {
        "empty": LIST0,
        "empty, in a list8": list_of(),
        "of nulls": list_of(NULL, NULL, NULL, NULL, NULL),
        "of defaults": list_of(FALSE, ubyte(4), NULL, FALSE, fixed(0x43, b"", "uint 0")),
        "with booleans in two bytes": list_of(fixed(0x56, b"\1", "boolean true"), NULL, NULL, fixed(0x56, b"\0", "boolean false")),
        "with the largest ttl": list_of(TRUE, NULL, uint(2**32 - 1)),
        "with a ttl and a priority": list_of(TRUE, ubyte(9), uint(3600000)),
        "with the lowest priority": list_of(TRUE, ubyte(0)),
        "with the highest priority": list_of(TRUE, ubyte(255)),
        "in a list32": list_of(TRUE, ubyte(4), NULL, TRUE, smalluint(0), code=0xD0),
    }
    cases += [case(f"header {name}", (HEADER, value), body) for name, value in headers.items()]
    maps = {"empty, in a map8": map_of(), "empty, in a map32": map_of(code=0xD1)}
    for code in DELIVERY_ANNOTATIONS, MESSAGE_ANNOTATIONS, APPLICATION_PROPERTIES:
        cases += [case(f"{SYMBOLS[code][5:-4]} {name}", (code, value), body) for name, value in maps.items()]
    cases += [case(f"footer {name}", body, (FOOTER, value)) for name, value in maps.items()]
    keys = map_of((ulong(2**40), TRUE), (symbol("x-opt-long", 0xB3), TRUE), (symbol("not-x-opt"), TRUE))
    for code in DELIVERY_ANNOTATIONS, MESSAGE_ANNOTATIONS:
        cases.append(case(f"{SYMBOLS[code][5:-4]} with keys that are numbers and odd symbols", (code, keys), body))
    ids = {
        "strings": string("id"),
        "empty strings": string(""),
        "long strings": string("i" * 300, 0xB1),
        "ulongs": ulong(2**64 - 1),
        "small ulongs": smallulong(1),
        "ulong zeroes": fixed(0x44, b"", "ulong 0"),
        "uuids": uuid_of(UUID),
        "binaries": binary(b"\0\xff"),
        "long binaries": binary(b"\0\xff", 0xB0),
    }
    for name, value in ids.items():
        cases.append(case(f"ids that are {name}", (PROPERTIES, list_of(value, NULL, NULL, NULL, NULL, value, code=0xD0)), body))
    # No two messages have the same group: a group is for one consumer at a time, and brokers may end one at a negative group-sequence.
    properties = {
        "empty": LIST0,
        "empty, in a list8": list_of(),
        "empty, in a list32": list_of(code=0xD0),
        "of nulls": list_of(*[NULL] * 13),
        "of all fields": list_of(
            string("id"), binary(b"user"), string("to"), string("subject"), string("reply-to"), string("correlation"), symbol("text/plain"),
            symbol("identity"), far, timestamp(0), string("group"), uint(2**32 - 1), string("reply-group"), code=0xD0,
        ),
        "of all fields, in unusual encodings": list_of(
            string("id", 0xB1), binary(b"user", 0xB0), string("to", 0xB1), string("s", 0xB1), string("r", 0xB1), string("c", 0xB1),
            symbol("text/plain", 0xB3), symbol("gzip", 0xB3), far, timestamp(-1), string("", 0xB1), uint(0), string("", 0xB1),
        ),
        "with one field missing at the end": list_of(*[NULL] * 10, string("another group"), smalluint(7)),
        "with an expiry and nothing else": list_of(*[NULL] * 8, far),
    }
    cases += [case(f"properties {name}", (HEADER, list_of(TRUE)), (PROPERTIES, value), body) for name, value in properties.items()]
    cases.append(case("a ttl and an expiry", (HEADER, list_of(TRUE, NULL, uint(2**31))), (PROPERTIES, list_of(*[NULL] * 8, far)), body))
    return cases


def large() -> List[Case]:
    """Messages that do not fit into one frame, some of more than a mebibyte in all."""
    mebibyte = 1 << 20
    around = [(HEADER, list_of(TRUE)), (PROPERTIES, list_of(string("id"))), (APPLICATION_PROPERTIES, map_of((string("a"), TRUE)))]
    footer = (FOOTER, map_of((symbol("x-crc"), uint(1))))
    noise = bytes((n * n + 7 * n) % 251 for n in range(mebibyte))
    text = "\u00e9" * (mebibyte // 2)
    parts = [(DATA, binary(noise[n::5], 0xB0)) for n in range(5)]
    long_text = map_of((string("a"), string("x" * 200_000, 0xB1)), code=0xD1)
    long_binary = map_of((symbol("x-opt-a"), binary(noise[:200_000], 0xB0)), code=0xD1)
    integers = list_of(*[integer(n) for n in range(250_000)], code=0xD0)
    return [
        case("a data of 1 MiB", *around, (DATA, binary(noise, 0xB0)), footer),
        case("a data of 1 MiB and nothing else", (DATA, binary(noise, 0xB0))),
        case("several data of 1 MiB in all", *around, *parts, footer),
        case("a string of 1 MiB", *around, (VALUE, string(text, 0xB1)), footer),
        case("a list of a string of 1 MiB and a null", *around, (VALUE, list_of(string(text, 0xB1), NULL, code=0xD0))),
        case("a sequence of 250,000 integers, and an empty one", *around, (SEQUENCE, integers), (SEQUENCE, LIST0), footer),
        case("an application property of 200 KiB", around[0], (APPLICATION_PROPERTIES, long_text), (VALUE, NULL)),
        case("a message annotation of 200 KiB", around[0], (MESSAGE_ANNOTATIONS, long_binary), (VALUE, NULL)),
        case("a footer of 200 KiB", around[0], (VALUE, NULL), (FOOTER, long_binary)),
    ]


def malformed() -> List[Tuple[str, bytes]]:
    """What is no message, and why."""
    header, body = section(HEADER, list_of(TRUE)).bytes, section(VALUE, string("hello")).bytes
    data, sequence = section(DATA, binary(b"data")).bytes, section(SEQUENCE, LIST0).bytes
    application, footer = section(APPLICATION_PROPERTIES, map_of()).bytes, section(FOOTER, map_of()).bytes
    return [
        ("a header behind the body", body + header),
        ("a body behind the footer", footer + body),
        ("properties behind the application properties", application + section(PROPERTIES, LIST0).bytes + body),
        ("two headers", header + header + body),
        ("two footers", body + footer + footer),
        ("two values", body + body),
        ("data and a value", data + body),
        ("data and a sequence", data + sequence),
        ("a string that is no section", string("hello").bytes),
        ("a section of an unknown number", section(0x79, LIST0).bytes + body),
        ("a section of an unknown symbol", section(0, LIST0, symbol("amqp:nothing:list")).bytes + body),
        ("a descriptor without a value", b"\0\x53\x77"),
        ("a header cut off", header[:-1]),
        ("a value cut off", body[:-1]),
        ("bytes behind the last section", body + b"\xff"),
        ("a header that is a map", section(HEADER, map_of()).bytes + body),
        ("properties that are a string", section(PROPERTIES, string("a")).bytes + body),
        ("application properties that are a list", section(APPLICATION_PROPERTIES, LIST0).bytes + body),
        ("a durable that is a number", section(HEADER, list_of(uint(1))).bytes + body),
        ("a ttl that is a string", section(HEADER, list_of(TRUE, NULL, string("1"))).bytes + body),
        ("a priority that is a uint", section(HEADER, list_of(TRUE, uint(4))).bytes + body),
        ("annotations with a key and no value", section(MESSAGE_ANNOTATIONS, compound(0xC1, [symbol("x-opt-a")], "")).bytes + body),
        ("a list that claims more than it has", b"\0\x53\x70\xc0\x02\x09\x41" + body),
        ("a size beyond the end", b"\0\x53\x75\xb0\x7f\xff\xff\xff" + b"data"),
        ("a type that there is not", b"\0\x53\x77\x10"),
        ("descriptors without end", b"\0\x53\x77" + b"\0" * 5000),
    ]


SETS = {
    "every type in every encoding": types,
    "lists, maps, arrays and described values, nested too": shapes,
    "all combinations of sections with all kinds of bodies": combinations_of_sections,
    "all combinations of sections without a body": without_body,
    "sections in all encodings": encodings,
    "messages of many frames": large,
}


def all_cases() -> List[Case]:
    return [c for cases in SETS.values() for c in cases()]


if __name__ == "__main__":
    for each in all_cases():
        json.dump({"name": each.name, "hex": each.bytes.hex(), "means": each.means}, sys.stdout)
        print()

"""Asks a broker who it is: opens a connection, and reads its open frame."""

import socket
import struct

from driver.errors import Broken
from driver.options import Place

_SASL = b"AMQP\x03\x01\x00\x00"
_AMQP = b"AMQP\x00\x01\x00\x00"
_SECONDS = 10
_LARGEST = 1 << 20


def product(place: Place) -> str:
    """Product and version as the broker's open frame tells them, or "unknown"."""
    try:
        with socket.create_connection((place.host, place.port), _SECONDS) as connection:
            return _ask(connection)
    except (OSError, EOFError) as e:
        raise Broken(f"no AMQP broker answers at {place}: {e}") from e
    except (ValueError, IndexError, struct.error, KeyError) as e:
        raise Broken(f"what answers at {place} is not understood: {e}") from e


def _ask(connection: socket.socket) -> str:
    connection.sendall(_SASL)
    if _exactly(connection, 8) == _SASL:
        _frame(connection)  # the mechanisms
        connection.sendall(_framed(1, b"\x00\x53\x41" + _list(b"\xa3\x09ANONYMOUS")))
        outcome = decode(_frame(connection))
        if outcome[:1] != [0]:
            raise ValueError("it lets nobody in without a user; give the URL of a listener that does")
    else:
        raise ValueError("it speaks no AMQP 1.0 with SASL")
    connection.sendall(_AMQP)
    if _exactly(connection, 8) != _AMQP:
        raise ValueError("it speaks no AMQP 1.0")
    container = b"conformance"
    connection.sendall(_framed(0, b"\x00\x53\x10" + _list(b"\xa1" + bytes([len(container)]) + container)))
    opened = decode(_frame(connection))
    connection.sendall(_framed(0, b"\x00\x53\x18\x45"))
    properties = opened[9] if len(opened) > 9 and isinstance(opened[9], dict) else {}
    told = [str(properties[key]) for key in ("product", "version") if key in properties]
    return " ".join(told) or "unknown"


def _list(*fields: bytes) -> bytes:
    body = b"".join(fields)
    return bytes([0xC0, len(body) + 1, len(fields)]) + body


def _framed(kind: int, body: bytes) -> bytes:
    return struct.pack(">IBBH", 8 + len(body), 2, kind, 0) + body


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError("the connection was closed")
        data += more
    return data


def _frame(connection: socket.socket) -> bytes:
    """The body of the next frame that has one."""
    while True:
        size, offset = struct.unpack(">IB", _exactly(connection, 5))
        if not 8 <= size <= _LARGEST:
            raise ValueError(f"a frame of {size} bytes")
        rest = _exactly(connection, size - 5)
        body = rest[offset * 4 - 5 :]
        if body:
            return body


def decode(data: bytes) -> object:
    """A value of AMQP. What is described is returned without its descriptor."""
    return _value(data, 0)[0]


_FIXED = {
    0x40: (0, lambda b: None), 0x41: (0, lambda b: True), 0x42: (0, lambda b: False), 0x43: (0, lambda b: 0), 0x44: (0, lambda b: 0),
    0x45: (0, lambda b: []), 0x50: (1, lambda b: b[0]), 0x52: (1, lambda b: b[0]), 0x53: (1, lambda b: b[0]), 0x56: (1, lambda b: b[0] == 1),
    0x51: (1, lambda b: int.from_bytes(b, "big", signed=True)), 0x54: (1, lambda b: int.from_bytes(b, "big", signed=True)),
    0x55: (1, lambda b: int.from_bytes(b, "big", signed=True)),
    0x60: (2, lambda b: int.from_bytes(b, "big")), 0x61: (2, lambda b: int.from_bytes(b, "big", signed=True)),
    0x70: (4, lambda b: int.from_bytes(b, "big")), 0x71: (4, lambda b: int.from_bytes(b, "big", signed=True)),
    0x72: (4, lambda b: struct.unpack(">f", b)[0]), 0x73: (4, lambda b: b.decode("utf-32-be")), 0x74: (4, bytes),
    0x80: (8, lambda b: int.from_bytes(b, "big")), 0x81: (8, lambda b: int.from_bytes(b, "big", signed=True)),
    0x82: (8, lambda b: struct.unpack(">d", b)[0]), 0x83: (8, lambda b: int.from_bytes(b, "big", signed=True)), 0x84: (8, bytes),
    0x94: (16, bytes), 0x98: (16, bytes),
}  # fmt: skip


def _value(data: bytes, at: int) -> tuple[object, int]:
    code = data[at]
    at += 1
    if code == 0x00:
        _, at = _value(data, at)
        return _value(data, at)
    return _coded(code, data, at)


def _coded(code: int, data: bytes, at: int) -> tuple[object, int]:
    if code in _FIXED:
        width, read = _FIXED[code]
        return read(data[at : at + width]), at + width
    width = 1 if code >> 4 in (0xA, 0xC, 0xE) else 4
    size = int.from_bytes(data[at : at + width], "big")
    at += width
    end = at + size
    if code >> 4 in (0xA, 0xB):
        content = data[at:end]
        return (content.decode() if code & 0xF in (1, 3) else content), end
    count = int.from_bytes(data[at : at + width], "big")
    at += width
    if code >> 4 in (0xE, 0xF):
        return _array(data, at, count), end
    values = []
    for _ in range(count):
        value, at = _value(data, at)
        values.append(value)
    return (dict(zip(values[::2], values[1::2])) if code & 0xF == 1 else values), end


def _array(data: bytes, at: int, count: int) -> list[object]:
    code = data[at]
    at += 1
    if code == 0x00:
        _, at = _value(data, at)
        code = data[at]
        at += 1
    values = []
    for _ in range(count):
        value, at = _coded(code, data, at)
        values.append(value)
    return values

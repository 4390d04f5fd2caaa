"""Every AMQP type that proton can write, in every place of a message where it may stand, comes back as it was."""
import os
import uuid

from proton import (UNDESCRIBED, Array, Data, Described, Message, byte, char, decimal32, decimal64, decimal128, float32, int32,
                    short, symbol, timestamp, ubyte, uint, ulong, ushort)

from client import connected
from suite import suite
from tap import address, equal, restart

SIMPLE = {
    "null": [None],
    "boolean": [True, False],
    "ubyte": [ubyte(0), ubyte(255)],
    "ushort": [ushort(0), ushort(65535)],
    "uint": [uint(0), uint(1), uint(255), uint(256), uint(2 ** 32 - 1)],
    "ulong": [ulong(0), ulong(255), ulong(256), ulong(2 ** 64 - 1)],
    "byte": [byte(-128), byte(127)],
    "short": [short(-32768), short(32767)],
    "int": [int32(-2 ** 31), int32(-129), int32(-128), int32(127), int32(2 ** 31 - 1)],
    "long": [-2 ** 63, -129, -128, 0, 127, 128, 2 ** 63 - 1],
    "float": [float32(0.0), float32(-0.0), float32(1.5), float32("inf"), float32("nan")],
    "double": [0.0, -0.0, 1.1, 5e-324, 1.7976931348623157e308, float("-inf"), float("nan")],
    "decimal32": [decimal32(0), decimal32(0x77F8967F)],
    "decimal64": [decimal64(0), decimal64(0x77FB86F26FC0FFFF)],
    "decimal128": [decimal128(bytes(16)), decimal128(bytes(range(16)))],
    "char": [char("a"), char("é"), char("邮"), char("😀")],
    "timestamp": [timestamp(0), timestamp(-1), timestamp(1_700_000_000_123), timestamp(2 ** 63 - 1)],
    "uuid": [uuid.UUID(int=0), uuid.UUID("12345678-90ab-cdef-1234-567890abcdef")],
    "binary": [b"", b"\x00\xff" * 5, bytes(range(256)) * 2],
    "string": ["", "text", "ünïcödé 邮件 😀", "x" * 255, "x" * 256],
    "symbol": [symbol(""), symbol("amqp:accepted:list"), symbol("s" * 300)],
}
COMPOUND = {
    "list": [[], [1, "two", None, [3.0, [symbol("four")]]], list(range(300))],
    "map": [{}, {"a": 1, symbol("b"): [2], 3: {"c": None}, uuid.UUID(int=4): b"d"}, {n: str(n) for n in range(300)}],
    "array": [Array(UNDESCRIBED, Data.INT, 1, 2, 300), Array(UNDESCRIBED, Data.STRING, "a", "", "c"),
              Array(UNDESCRIBED, Data.SYMBOL, symbol("a"), symbol("b")), Array(UNDESCRIBED, Data.BYTE)],
    # Not a described value of a described value: proton's own codec, without any broker, loses what follows it.
    "described": [Described(symbol("shop:price"), [100, "EUR"]), Described(ulong(0x123400000001), {"k": "v"}),
                  Described("text", [Described(uint(7), b"inner")])],
    "array of described": [Array(symbol("shop:tag"), Data.STRING, "x", "y")],
    "nested deeply": [[[[[[[[[{"k": [Described(symbol("d"), Array(UNDESCRIBED, Data.LONG, -1, 2 ** 40))]}]]]]]]]]],
}


def encoded(value):
    """The bytes of a value: they tell the types, too, which == does not."""
    data = Data()
    data.put_object(value)
    return data.encode()


def same(what, expected, actual):
    assert encoded(expected) == encoded(actual), f"{what}: sent {expected!r}, but got {actual!r}"


def through(queue, messages):
    """The messages, sent durably and received."""
    with connected() as connection:
        sender = connection.create_sender(queue)
        for message in messages:
            message.durable = True
            sender.send(message)
        receiver = connection.create_receiver(queue, credit=len(messages))
        received = []
        for _ in messages:
            received.append(receiver.receive())
            receiver.accept()
        return received


for name, values in {**SIMPLE, **COMPOUND}.items():
    @suite.test(f"a body of the type {name} comes back as it was")
    def body(name=name, values=values):
        received = through(address(f"python.value.{name}"), [Message(body=value, inferred=False) for value in values])
        for value, message in zip(values, received):
            same("body", value, message.body)


@suite.test("application properties and annotations of every type come back as they were")
def in_maps():
    simple = {f"{name} {n}": value for name, values in SIMPLE.items() for n, value in enumerate(values)}
    anything = {symbol(f"x-opt-{name}-{n}"): value for name, values in {**SIMPLE, **COMPOUND}.items()
                for n, value in enumerate(values)}
    message, = through(address("python.maps"), [Message(body=1, properties=simple, annotations=anything)])
    same("application properties", simple, message.properties)
    for key, value in anything.items():
        same(key, value, message.annotations[key])


@suite.test("bodies of one binary, of a sequence and of a value stay what they are")
def sections():
    sent = [Message(body=b"data", inferred=True), Message(body=[1, 2, "three"], inferred=True), Message(body=b"value"),
            Message(body=[1, 2]), Message()]
    received = through(address("python.sections"), sent)
    for before, after in zip(sent, received):
        same("body", before.body, after.body)
        equal("inferred", before.inferred, after.inferred)


@suite.test("every property of a message comes back as it was, and so does its header")
def properties():
    sent = Message(body="x", id="id-1", user_id=b"\x00user", address="to-wherever", subject="subject",
                   reply_to="reply-to", correlation_id="correlation", content_type="text/plain; charset=utf-8",
                   content_encoding="identity", expiry_time=4_000_000_000.5, creation_time=1_700_000_000.125,
                   group_id="group", group_sequence=4_000_000_000, reply_to_group_id="reply-group",
                   priority=9, ttl=86_400.0)
    received, = through(address("python.properties"), [sent])
    for name in ("id", "user_id", "address", "subject", "reply_to", "correlation_id", "content_type", "content_encoding",
                 "expiry_time", "creation_time", "group_id", "group_sequence", "reply_to_group_id", "priority", "durable"):
        same(name, getattr(sent, name), getattr(received, name))
    assert 86_390 < received.ttl <= 86_400, received.ttl


@suite.test("message ids and correlation ids keep their type")
def ids():
    kinds = ["text", ulong(2 ** 63), uuid.UUID(int=2 ** 127 + 1), b"\x00\x01binary"]
    received = through(address("python.ids"), [Message(id=kind, correlation_id=kind) for kind in kinds])
    for kind, message in zip(kinds, received):
        # proton's Message knows one integer for these, an unsigned long, and gives it as a plain int.
        equal("message-id", (kind, type(kind) is ulong), (message.id, type(message.id) is int))
        equal("correlation-id", (kind, type(kind) is ulong), (message.correlation_id, type(message.correlation_id) is int))


@suite.test("a message of every type is byte for byte the same after a restart of the broker", needs=["BROKER_RESTART"],
            limit_seconds=30)
def stored():
    queue = address("python.stored")
    everything = {f"{name} {n}": value for name, values in {**SIMPLE, **COMPOUND}.items() for n, value in enumerate(values)}
    with connected() as connection:
        connection.create_sender(queue).send(Message(body=everything, id=uuid.UUID(int=5), durable=True))
    restart()
    with connected() as connection:
        received = connection.create_receiver(queue).receive()
        same("body", everything, received.body)
        same("message-id", uuid.UUID(int=5), received.id)


@suite.test("random bytes of every size around the limits of frames come back as they were")
def sizes():
    sizes = [0, 1, 254, 255, 256, 257, 16_000, 65_400, 65_535, 65_536, 65_537, 131_072, 1_048_575, 1_048_576, 1_048_577]
    sent = [os.urandom(size) for size in sizes]
    received = through(address("python.sizes"), [Message(body=body, inferred=True) for body in sent])
    equal("sizes", sizes, [len(message.body) for message in received])
    assert all(before == after.body for before, after in zip(sent, received)), "the bytes differ"

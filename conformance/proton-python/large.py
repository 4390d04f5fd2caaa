"""Large messages: whole, streamed in parts in both directions, and given up halfway."""
from proton import Delivery, Handler, Message
from proton.reactor import AtMostOnce

from client import Reactive, bodies, connected, contents
from suite import suite
from tap import address, equal

MEBIBYTE = 1 << 20
PART = bytes(range(256)) * 256
DATA_SECTION_OF_32_BITS = b"\x00\x53\x75\xb0"


def parts(size):
    """A message with one data section of this size, as it goes over the wire, part by part."""
    yield DATA_SECTION_OF_32_BITS + size.to_bytes(4, "big")
    for start in range(0, size, len(PART)):
        yield PART[:min(len(PART), size - start)]


class Stream(Reactive):
    """Sends one message, a part each millisecond; before that it begins some others and gives them up halfway."""

    def __init__(self, queue, size, aborts=0):
        super().__init__()
        self.queue, self.size, self.aborts, self.delivery = queue, size, aborts, None

    def on_connection(self, event):
        self.sender = self.container.create_sender(self.connection, self.queue)

    def on_sendable(self, event):
        if not self.delivery:
            self.begin()

    def begin(self):
        self.delivery = self.sender.delivery(self.sender.delivery_tag())
        self.parts, self.sent = parts(self.size), 0
        self.container.schedule(0, self)

    def on_timer_task(self, event):
        if self.aborts and self.sent > self.size // 2:
            self.delivery.abort()
            self.aborts -= 1
            self.begin()
            return
        part = next(self.parts, None)
        if part is None:
            self.sender.advance()
        else:
            self.sender.stream(part)
            self.sent += len(part)
            self.container.schedule(0.001, self)

    def on_accepted(self, event):
        self.connection.close()


class Pieces(Handler):
    """Takes one message piece by piece, as the pieces come, and accepts it."""

    def __init__(self):
        self.pieces, self.done = [], False

    def on_delivery(self, event):
        delivery = event.delivery
        if delivery.pending:
            self.pieces.append(event.link.recv(delivery.pending))
        if not delivery.partial:
            event.link.advance()
            delivery.update(Delivery.ACCEPTED)
            delivery.settle()
            self.done = True


def arrived_in_pieces(queue, size):
    """Takes a message of this size in pieces, compares it, and makes sure that it is the only one."""
    with connected() as connection:
        pieces = Pieces()
        receiver = connection.create_receiver(queue, handler=pieces)
        connection.wait(lambda: pieces.done, msg="the large message")
        receiver.close()
    assert len(pieces.pieces) > 2, f"it came in {len(pieces.pieces)} pieces"
    content = b"".join(pieces.pieces)
    # Before what was sent, the broker put a header.
    start = content.index(DATA_SECTION_OF_32_BITS)
    assert content[start:] == b"".join(parts(size)), f"the message differs, with {len(content) - start} bytes of {size + 8}"
    equal("left", 0, len(contents(queue)))


@suite.test("a message of 20 MiB that is sent and received whole is the same")
def whole():
    queue = address("python.large")
    body = PART * (20 * MEBIBYTE // len(PART))
    with connected() as connection:
        connection.create_sender(queue).send(Message(body=body, inferred=True, durable=True))
        receiver = connection.create_receiver(queue)
        assert receiver.receive().body == body, "the body differs"
        receiver.accept()
    equal("left", 0, len(contents(queue)))


@suite.test("a message that is streamed part by part is received piece by piece, and is the same")
def streamed():
    queue, size = address("python.streamed"), 10 * MEBIBYTE + 123
    Stream(queue, size).run()
    arrived_in_pieces(queue, size)


@suite.test("messages that are given up halfway leave nothing behind, small or large, and the link goes on")
def aborted():
    for size in (MEBIBYTE // 4, 3 * MEBIBYTE):
        queue = address(f"python.aborted.{size}")
        Stream(queue, size, aborts=10).run()
        arrived_in_pieces(queue, size)


@suite.test("while a message is being streamed, others pass on other links of the same connection")
def beside():
    queue, other = address("python.streaming"), address("python.beside")

    class Beside(Stream):
        def on_connection(self, event):
            super().on_connection(event)
            self.beside = self.container.create_sender(self.connection, other)
            self.passed_by = 0

        def on_timer_task(self, event):
            super().on_timer_task(event)
            if self.sent == len(PART) * 4 + 8:
                self.beside.send(Message(body="quick"))

        def on_accepted(self, event):
            if event.sender == self.beside:
                self.passed_by = self.sent
            else:
                super().on_accepted(event)

    stream = Beside(queue, 8 * MEBIBYTE).run()
    assert 0 < stream.passed_by < 8 * MEBIBYTE, f"the other message was accepted after {stream.passed_by} bytes"
    equal("beside", ["quick"], bodies(other))


@suite.test("a message whose connection is lost halfway is not there")
def lost():
    queue = address("python.lost")

    class Gone(Stream):
        def on_timer_task(self, event):
            if self.sent > self.size // 2:
                self.connection.close()
            else:
                super().on_timer_task(event)

    Gone(queue, 3 * MEBIBYTE).run()
    equal("left", 0, len(contents(queue)))


@suite.test("a large message that is settled beforehand arrives, too")
def presettled():
    queue = address("python.large-settled")
    body = PART * 32
    with connected() as connection:
        connection.create_sender(queue, options=AtMostOnce()).send(Message(body=body, inferred=True))
        receiver = connection.create_receiver(queue, options=AtMostOnce())
        assert receiver.receive().body == body, "the body differs"

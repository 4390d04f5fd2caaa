"""Nodes: the anonymous relay, dynamic addresses, requests and replies, and how addresses may be written."""
import threading

from proton import Message
from proton.reactor import LinkOption
from proton.utils import LinkDetached, SendException, SyncRequestResponse

from client import Reactive, bodies, connected, send
from suite import suite
from tap import address, equal


@suite.test("a sender without an address sends each message to the address in it")
def anonymous_relay():
    queues = [address(f"python.relayed.{n}") for n in range(3)]
    with connected() as connection:
        assert "ANONYMOUS-RELAY" in connection.conn.remote_offered_capabilities, "the capability is not offered"
        sender = connection.create_sender(None)
        for number in range(9):
            sender.send(Message(address=queues[number % 3], body=number, durable=True))
    equal("arrived", [[0, 3, 6], [1, 4, 7], [2, 5, 8]], [bodies(queue) for queue in queues])


@suite.test("a message without an address is rejected by the anonymous relay, and the link goes on")
def relay_without_address():
    queue = address("python.relayed-after")
    with connected() as connection:
        sender = connection.create_sender(None)
        try:
            sender.send(Message(body="to nowhere"))
            raise AssertionError("it was not rejected")
        except SendException:
            pass
        sender.send(Message(address=queue, body="to somewhere"))
    equal("arrived", ["to somewhere"], bodies(queue))


@suite.test("addresses with a slash or queue:// before them are the same queue")
def prefixes():
    queue = address("python.prefixes")
    for number, prefix in enumerate(["", "/", "queue://"]):
        send(prefix + queue, number)
    equal("arrived", [0, 1, 2], bodies(queue))


@suite.test("an address may have any characters")
def odd_names():
    for name in ["python.ünïcödé → 邮件", "python.with spaces & signs ?=%2F#", "python." + "x" * 200]:
        send(address(name), name)
        equal("arrived", [name], bodies(address(name)))


@suite.test("a dynamic source has an address of its own, and is gone with its link")
def dynamic_source():
    with connected() as connection, connected() as other:
        receivers = [connection.create_receiver(None, dynamic=True) for _ in range(2)]
        names = [receiver.link.remote_source.address for receiver in receivers]
        assert all(names) and names[0] != names[1], names
        senders = [other.create_sender(name) for name in names]
        for name, sender, receiver in zip(names, senders, receivers):
            sender.send(Message(body=name))
            equal("arrived", name, receiver.receive().body)
            receiver.accept()
        receivers[0].close()
        try:
            other.create_sender(names[0]).send(Message(body="too late"))
            raise AssertionError("the node is still there")
        except (LinkDetached, SendException):
            pass


class DynamicTarget(LinkOption):
    def apply(self, link):
        link.target.dynamic = True

    def test(self, link):
        return link.is_sender


@suite.test("a dynamic target is a queue that its connection can receive from")
def dynamic_target():
    with connected() as connection:
        sender = connection.create_sender(None, options=DynamicTarget())
        name = sender.link.remote_target.address
        assert name, "it has no address"
        sender.send(Message(body="there"))
        equal("arrived", "there", connection.create_receiver(name).receive().body)


class Server(Reactive):
    """Answers so many requests in capitals, to wherever they want the answer, with the correlation they want."""

    def __init__(self, address, requests):
        super().__init__()
        self.address, self.requests = address, requests

    def on_connection(self, event):
        self.container.create_receiver(self.connection, self.address)
        self.relay = self.container.create_sender(self.connection, None)

    def on_message(self, event):
        request = event.message
        self.relay.send(Message(address=request.reply_to, body=request.body.upper(), correlation_id=request.correlation_id))

    def on_accepted(self, event):
        self.requests -= 1
        if not self.requests:
            self.connection.close()


@suite.test("the blocking request-response client gets each answer")
def requests():
    queue = address("python.requests")
    server = threading.Thread(target=Server(queue, 20).run, daemon=True)
    server.start()
    with connected() as connection:
        client = SyncRequestResponse(connection, queue)
        for number in range(20):
            equal("answer", f"REQUEST {number}", client.call(Message(body=f"request {number}")).body)
    server.join(10)
    assert not server.is_alive(), "the server had not all its answers accepted"


@suite.test("a message keeps the queue it is sent to as its address, also when it goes by the relay")
def to():
    queue = address("python.to")
    with connected() as connection:
        connection.create_sender(None).send(Message(address=queue, body=1))
        connection.create_sender(queue).send(Message(address="elsewhere", body=2))
        receiver = connection.create_receiver(queue, credit=2)
        equal("to", [queue, "elsewhere"], [receiver.receive().address for _ in range(2)])

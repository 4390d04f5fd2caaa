"""What the tests do with the broker again and again, with proton's Python binding."""
import os
from contextlib import contextmanager

from proton import Message
from proton.handlers import MessagingHandler
from proton.reactor import Container, Copy
from proton.utils import BlockingConnection

URL = os.environ["AMQP_URL"]
LIMIT_SECONDS = 10


@contextmanager
def connected(url=URL, container_id=None, **options):
    """A blocking connection."""
    container = Container()
    if container_id:
        container.container_id = container_id
    connection = BlockingConnection(url, timeout=LIMIT_SECONDS, container=container, **options)
    try:
        yield connection
    finally:
        connection.close()


def send(address, *bodies, **sections):
    """Sends durable messages with these bodies, and returns when all are accepted."""
    with connected() as connection:
        sender = connection.create_sender(address)
        for body in bodies:
            sender.send(Message(body=body, durable=True, **sections))


def receive(address, options=None):
    """Takes one message and accepts it."""
    with connected() as connection:
        receiver = connection.create_receiver(address, options=options)
        message = receiver.receive()
        receiver.accept()
        return message


def contents(address, options=()):
    """All messages of a queue, which stay there: a browser takes what there is and ends with a drain."""
    with connected() as connection:
        receiver = connection.create_receiver(address, options=[Copy(), *options])
        drain(connection, receiver, 100_000)
        return [message for message, _ in receiver.fetcher.incoming]


def drain(connection, receiver, credit):
    receiver.link.drain(credit)
    connection.wait(lambda: not receiver.link.credit, msg="draining")


def bodies(address, options=()):
    return [message.body for message in contents(address, options)]


class Reactive(MessagingHandler):
    """A handler with a connection of its own, for which every error that it does not expect is one."""

    def run(self, url=URL, container_id=None, **options):
        container = Container(self)
        if container_id:
            container.container_id = container_id
        self.options = {"url": url, "reconnect": False, **options}
        container.start()
        while not container.errors and container.process():
            pass
        container.stop()
        container.process()
        return self

    def on_start(self, event):
        self.container = event.container
        self.connection = event.container.connect(**self.options)
        self.on_connection(event)

    def on_connection(self, event):
        """Opens the links."""

    def on_connection_error(self, event):
        raise AssertionError(f"the connection was closed: {event.connection.remote_condition}")

    def on_link_error(self, event):
        raise AssertionError(f"the link was closed: {event.link.remote_condition}")

    def on_transport_error(self, event):
        raise AssertionError(f"the transport failed: {event.transport.condition}")

    def on_rejected(self, event):
        raise AssertionError(f"rejected: {event.delivery.remote.condition}")

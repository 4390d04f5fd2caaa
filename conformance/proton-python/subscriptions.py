"""Topics, and the durable subscriptions that proton's DurableSubscription makes."""
from proton import Message, symbol
from proton.reactor import DurableSubscription, LinkOption, Selector
from proton.utils import LinkDetached

from client import connected, drain
from suite import suite
from tap import address, equal, restart


class Topic(LinkOption):
    """The capability by which clients say that an address is a topic."""

    def apply(self, link):
        node = link.target if link.is_sender else link.source
        node.capabilities.put_object(symbol("topic"))

    def test(self, link):
        return True


def publish(topic, *numbers, **sections):
    with connected() as connection:
        sender = connection.create_sender(topic, options=Topic())
        for number in numbers:
            sender.send(Message(body=number, durable=True, **sections))


def take(receiver, count):
    taken = []
    for _ in range(count):
        taken.append(receiver.receive().body)
        receiver.accept()
    return taken


def nothing_more(connection, receiver):
    drain(connection, receiver, 10)
    equal("more messages", [], [m.body for m, _ in receiver.fetcher.incoming])


@suite.test("every subscriber of a topic gets every message")
def fan_out():
    topic = address("python.news")
    with connected() as connection:
        receivers = [connection.create_receiver(topic, name=f"subscriber {n}", options=Topic()) for n in range(3)]
        publish(topic, *range(20))
        for receiver in receivers:
            equal("received", list(range(20)), take(receiver, 20))
            nothing_more(connection, receiver)


@suite.test("topic:// before the name makes a topic without a capability")
def prefix():
    topic = address("python.news-by-prefix")
    with connected() as connection:
        receivers = [connection.create_receiver("topic://" + topic, name=f"subscriber {n}") for n in range(2)]
        connection.create_sender("topic://" + topic).send(Message(body=1))
        equal("received", [[1], [1]], [take(receiver, 1) for receiver in receivers])


@suite.test("a subscriber with wildcards gets the topics that match, and no others")
def wildcards():
    root = address("python.levels")
    with connected() as connection:
        one = connection.create_receiver(f"{root}.*.goals", options=Topic())
        every = connection.create_receiver(f"{root}.#", options=Topic())
        for number, name in enumerate(["sport.goals", "sport", "sport.goals.late", "art.goals"]):
            publish(f"{root}.{name}", number)
        equal("with *", [0, 3], take(one, 2))
        equal("with #", [0, 1, 2, 3], take(every, 4))
        nothing_more(connection, one)


@suite.test("a subscriber with a selector gets the messages that match")
def selected():
    topic = address("python.news-selected")
    with connected() as connection:
        receiver = connection.create_receiver(topic, options=[Topic(), Selector("colour = 'green'")])
        for number in range(6):
            publish(topic, number, properties={"colour": "green" if number % 2 else "red"})
        equal("received", [1, 3, 5], take(receiver, 3))


@suite.test("a durable subscription keeps what is published while its client is away")
def durable():
    topic, client = address("python.durable"), address("python.client")
    options = [Topic(), DurableSubscription()]
    with connected(container_id=client) as connection:
        receiver = connection.create_receiver(topic, name="inbox", options=options)
        publish(topic, 1)
        equal("at first", [1], take(receiver, 1))
        receiver.link.detach()
    publish(topic, 2, 3)
    with connected(container_id=client) as connection:
        receiver = connection.create_receiver(topic, name="inbox", options=options)
        equal("when it is back", [2], take(receiver, 1))
    with connected(container_id=client) as connection:
        receiver = connection.create_receiver(topic, name="inbox", options=options)
        equal("after its connection closed", [3], take(receiver, 1))
        nothing_more(connection, receiver)
        receiver.close()
    publish(topic, 4)
    with connected(container_id=client) as connection:
        nothing_more(connection, connection.create_receiver(topic, name="inbox", options=options))


@suite.test("a durable subscription outlives a restart of the broker", needs=["BROKER_RESTART"], limit_seconds=30)
def durable_restart():
    topic, client = address("python.durable-restart"), address("python.restarted")
    options = [Topic(), DurableSubscription()]
    with connected(container_id=client) as connection:
        connection.create_receiver(topic, name="inbox", options=options).link.detach()
    publish(topic, 1)
    restart()
    publish(topic, 2)
    with connected(container_id=client) as connection:
        equal("kept", [1, 2], take(connection.create_receiver(topic, name="inbox", options=options), 2))


@suite.test("subscriptions of the same name belong to their own clients")
def names():
    topic = address("python.same-name")
    options = [Topic(), DurableSubscription()]
    clients = [address(f"python.same-name.{n}") for n in range(2)]
    for client in clients:
        with connected(container_id=client) as connection:
            connection.create_receiver(topic, name="inbox", options=options).link.detach()
    publish(topic, 1)
    for client in clients:
        with connected(container_id=client) as connection:
            equal("kept", [1], take(connection.create_receiver(topic, name="inbox", options=options), 1))


@suite.test("two of the same durable subscription at once, from two connections of a client, are refused")
def in_use():
    topic, client = address("python.in-use"), address("python.in-use.client")
    options = [Topic(), DurableSubscription()]
    with connected(container_id=client) as connection, connected(container_id=client) as other:
        receiver = connection.create_receiver(topic, name="inbox", options=options)
        try:
            other.create_receiver(topic, name="inbox", options=options)
            raise AssertionError("the second one was let in")
        except LinkDetached as e:
            equal("condition", "amqp:resource-locked", e.condition)
        publish(topic, 1)
        equal("the first still receives", [1], take(receiver, 1))

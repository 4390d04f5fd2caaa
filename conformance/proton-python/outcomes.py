"""What becomes of a message when its consumer settles it, each way that AMQP has."""
from proton import Condition, Delivery, Message, symbol
from proton.reactor import AtLeastOnce, AtMostOnce

from client import Reactive, bodies, connected, contents, receive, send
from suite import suite
from tap import address, equal


class Settle(Reactive):
    """Takes one message, does with it what the test says, and closes."""

    def __init__(self, address, how):
        super().__init__(prefetch=0, auto_accept=False)
        self.address, self.how, self.message = address, how, None

    def on_connection(self, event):
        self.container.create_receiver(self.connection, self.address).flow(1)

    def on_message(self, event):
        self.message = event.message
        self.how(self, event.delivery)
        self.connection.close()


def settle(address, how):
    return Settle(address, how).run().message


def modified(failed=False, undeliverable=False, annotations=None):
    def how(handler, delivery):
        delivery.local.failed = failed
        delivery.local.undeliverable = undeliverable
        if annotations:
            delivery.local.annotations = annotations
        handler.settle(delivery, Delivery.MODIFIED)
    return how


@suite.test("a message that was accepted is gone")
def accepted():
    queue = address("python.accepted")
    send(queue, "one", "two")
    equal("taken", "one", settle(queue, lambda handler, delivery: handler.accept(delivery)).body)
    equal("left", ["two"], bodies(queue))


@suite.test("a message that was released comes back, and the attempt does not count")
def released():
    queue = address("python.released")
    send(queue, "one", "two")
    settle(queue, lambda handler, delivery: handler.release(delivery, delivered=False))
    equal("left, in its old place", ["one", "two"], bodies(queue))
    equal("delivery-count", 0, receive(queue).delivery_count)


@suite.test("a message that was modified as failed comes back with a higher delivery-count")
def modified_failed():
    queue = address("python.failed")
    send(queue, "one")
    for count in range(3):
        equal("delivery-count", count, settle(queue, modified(failed=True)).delivery_count)
    again = receive(queue)
    equal("delivery-count", 3, again.delivery_count)
    equal("first-acquirer", False, again.first_acquirer)


@suite.test("a message that was modified without having failed comes back with the same delivery-count")
def modified_only():
    queue = address("python.modified")
    send(queue, "one")
    settle(queue, lambda handler, delivery: handler.release(delivery))
    equal("delivery-count", 0, receive(queue).delivery_count)


@suite.test("annotations of a modified outcome are there at the next delivery")
def modified_annotations():
    queue = address("python.annotated")
    send(queue, "one", annotations={symbol("x-opt-was"): "there"})
    settle(queue, modified(annotations={symbol("x-opt-note"): "too hot", symbol("x-opt-tries"): 7}))
    equal("annotations", {"x-opt-was": "there", "x-opt-note": "too hot", "x-opt-tries": 7}, receive(queue).annotations)


@suite.test("a message that was undeliverable here goes to another consumer, not to this one")
def undeliverable_here():
    queue = address("python.elsewhere")
    with connected() as connection, connected() as other:
        send(queue, "one")
        receiver = connection.create_receiver(queue)
        receiver.receive()
        receiver.fetcher.unsettled[0].local.undeliverable = True
        receiver.settle(Delivery.MODIFIED)
        send(queue, "two")
        equal("next here", "two", receiver.receive().body)
        equal("elsewhere", "one", other.create_receiver(queue).receive().body)


@suite.test("a message that was rejected is in the dead-letter queue, with the consumer's reason")
def rejected():
    queue = address("python.rejected")
    send(queue, "poison")

    def how(handler, delivery):
        delivery.local.condition = Condition("shop:no-such-article", "article 7 is not sold here")
        handler.settle(delivery, Delivery.REJECTED)
    settle(queue, how)
    equal("left", [], bodies(queue))
    dead = receive(queue + ".dlq")
    equal("body", "poison", dead.body)
    equal("queue it died in", queue, dead.annotations["x-opt-death-address"])
    equal("reason", "rejected", dead.annotations["x-opt-death-reason"])
    assert "article 7 is not sold here" in dead.annotations["x-opt-death-description"], dead.annotations


@suite.test("messages that were not settled when the link closed come back in order, and the attempt does not count")
def unsettled():
    queue = address("python.unsettled")
    send(queue, *range(5))
    with connected() as connection:
        receiver = connection.create_receiver(queue, credit=5)
        equal("taken", list(range(5)), [receiver.receive().body for _ in range(5)])
        receiver.close()
        again = connection.create_receiver(queue, credit=5)
        equal("taken again", [(n, 0) for n in range(5)],
              [(m.body, m.delivery_count) for m in (again.receive() for _ in range(5))])


@suite.test("dispositions for many messages at once, in any order, each have their effect")
def out_of_order():
    queue = address("python.ranges")
    send(queue, *range(30))

    class Shuffle(Reactive):
        def __init__(self):
            super().__init__(prefetch=30, auto_accept=False)
            self.deliveries = []

        def on_connection(self, event):
            self.container.create_receiver(self.connection, queue)

        def on_message(self, event):
            self.deliveries.append(event.delivery)
            if len(self.deliveries) == 30:
                for number in sorted(range(30), key=lambda n: n * 7 % 30):
                    self.settle(self.deliveries[number], Delivery.ACCEPTED if number % 3 else Delivery.RELEASED)
                self.connection.close()

    Shuffle().run()
    equal("left", list(range(0, 30, 3)), bodies(queue))


@suite.test("a consumer that wants messages settled by the broker gets each of them once")
def at_most_once():
    queue = address("python.presettled")
    send(queue, *range(10))
    with connected() as connection:
        receiver = connection.create_receiver(queue, credit=10, options=AtMostOnce())
        equal("taken", list(range(10)), [receiver.receive().body for _ in range(10)])
        equal("unsettled", 0, len(receiver.fetcher.unsettled))
    equal("left", [], bodies(queue))


@suite.test("messages that their sender settled beforehand arrive")
def presettled_sends():
    queue = address("python.sent-settled")
    with connected() as connection:
        sender = connection.create_sender(queue, options=AtMostOnce())
        for number in range(100):
            sender.send(Message(body=number))
        receiver = connection.create_receiver(queue, credit=100)
        equal("arrived", list(range(100)), [receiver.receive().body for _ in range(100)])


@suite.test("links at least once are settled by the receiver first, as they were asked for")
def at_least_once():
    queue = address("python.at-least-once")
    with connected() as connection:
        sender = connection.create_sender(queue, options=AtLeastOnce())
        receiver = connection.create_receiver(queue, options=AtLeastOnce())
        equal("snd-settle-mode", [0, 0], [link.remote_snd_settle_mode for link in (sender.link, receiver.link)])
        equal("rcv-settle-mode", [0, 0], [link.remote_rcv_settle_mode for link in (sender.link, receiver.link)])
        equal("outcome", Delivery.ACCEPTED, sender.send(Message(body=1)).remote_state)
        equal("body", 1, receiver.receive().body)
        receiver.accept()
    equal("left", [], contents(queue))


@suite.test("a message that failed ten times is dead")
def too_often():
    queue = address("python.too-often")
    send(queue, "one")
    for _ in range(10):
        settle(queue, modified(failed=True))
    equal("left", [], bodies(queue))
    dead = receive(queue + ".dlq")
    equal("reason", "max-deliveries", dead.annotations["x-opt-death-reason"])
    equal("attempts", 10, dead.annotations["x-opt-death-delivery-count"])

"""Credit and drain: nothing is sent that was not asked for, and every drain ends."""
from proton import Message

from client import Reactive, connected, drain, send
from suite import suite
from tap import address, equal


class Asks(Reactive):
    """Asks for so many messages at a time, as long as it gets them, and remembers how many there were each time."""

    def __init__(self, address, rounds):
        super().__init__(prefetch=0)
        self.address, self.rounds, self.got, self.round = address, rounds, [], 0

    def on_connection(self, event):
        self.receiver = self.container.create_receiver(self.connection, self.address)
        self.receiver.flow(self.rounds[0])

    def on_message(self, event):
        self.round += 1
        assert self.round <= self.rounds[len(self.got)], "more than was asked for"
        if self.round == self.rounds[len(self.got)]:
            self.got.append(self.round)
            self.round = 0
            # Whatever is sent beyond the credit is here before the answer to a drain.
            self.receiver.drain(0)
            if len(self.got) == len(self.rounds):
                self.connection.close()
            else:
                self.receiver.flow(self.rounds[len(self.got)])


@suite.test("a consumer that gives credit by hand gets so many messages and no more")
def by_hand():
    queue = address("python.by-hand")
    send(queue, *range(40))
    equal("messages each time", [1, 5, 2, 20], Asks(queue, [1, 5, 2, 20]).run().got)


@suite.test("a drain of an empty queue ends at once")
def drain_empty():
    with connected() as connection:
        receiver = connection.create_receiver(address("python.empty"))
        for _ in range(5):
            drain(connection, receiver, 10)
        equal("messages", 0, len(receiver.fetcher.incoming))


@suite.test("a drain gives what there is and takes the rest of the credit back")
def drain_some():
    queue = address("python.drained")
    send(queue, 1, 2, 3)
    with connected() as connection:
        receiver = connection.create_receiver(queue)
        drain(connection, receiver, 10)
        equal("messages", [1, 2, 3], [m.body for m, _ in receiver.fetcher.incoming])
        equal("credit taken back", 7, receiver.link.drained())


@suite.test("a consumer that drained goes on with new credit")
def drain_and_go_on():
    queue = address("python.after-drain")
    with connected() as connection:
        receiver = connection.create_receiver(queue)
        for number in range(5):
            drain(connection, receiver, 10)
            receiver.link.drain_mode = False
            receiver.link.flow(1)
            send(queue, number)
            equal("body", number, receiver.receive().body)
            receiver.accept()


@suite.test("two consumers with credit share a queue, and none of them starves")
def shared():
    queue = address("python.shared")
    with connected() as connection:
        receivers = [connection.create_receiver(queue, credit=50, name=f"consumer {n}") for n in range(2)]
        send(queue, *range(60))
        connection.wait(lambda: sum(len(r.fetcher.incoming) for r in receivers) == 60)
        counts = [len(r.fetcher.incoming) for r in receivers]
        assert min(counts) >= 10, f"one had {counts[0]}, the other {counts[1]}"
        equal("all", list(range(60)), sorted(m.body for r in receivers for m, _ in r.fetcher.incoming))


@suite.test("a sender that waits for credit sends ten thousand messages, and each is accepted")
def many():
    queue = address("python.many")

    class Flood(Reactive):
        def __init__(self):
            super().__init__(prefetch=500)
            self.sent = self.accepted = 0
            self.received = []

        def on_connection(self, event):
            self.container.create_receiver(self.connection, queue)
            self.container.create_sender(self.connection, queue)

        def on_sendable(self, event):
            while event.sender.credit and self.sent < 10_000:
                event.sender.send(Message(body=self.sent))
                self.sent += 1

        def on_accepted(self, event):
            self.accepted += 1
            self.done()

        def on_message(self, event):
            self.received.append(event.message.body)
            self.done()

        def done(self):
            if self.accepted == len(self.received) == 10_000:
                self.connection.close()

    equal("received", list(range(10_000)), Flood().run().received)

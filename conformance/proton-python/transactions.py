"""Local transactions, with the symbols that proton's Python binding uses for declare and discharge."""
from proton import Delivery, Message
from proton.handlers import TransactionHandler

from client import Reactive, bodies, contents, receive, send
from suite import suite
from tap import address, equal


class Moves(Reactive, TransactionHandler):
    """In one transaction takes some messages from a queue, sends some to another, and commits or aborts."""

    def __init__(self, take, take_from, give, give_to, commit, settle_first=False):
        Reactive.__init__(self, prefetch=0, auto_accept=False)
        TransactionHandler.__init__(self)
        self.take, self.take_from, self.give, self.give_to = take, take_from, list(give), give_to
        self.commit, self.settle_first, self.transaction, self.end = commit, settle_first, None, None
        self.seen_before_the_end = None

    def on_connection(self, event):
        self.receiver = self.container.create_receiver(self.connection, self.take_from)
        self.sender = self.container.create_sender(self.connection, self.give_to)
        self.container.declare_transaction(self.connection, handler=self, settle_before_discharge=self.settle_first)

    def on_transaction_declared(self, event):
        self.transaction = event.transaction
        self.receiver.flow(self.take)
        self.go_on()

    def on_sendable(self, event):
        self.go_on()

    def on_message(self, event):
        self.transaction.accept(event.delivery)
        self.take -= 1
        self.go_on()

    def go_on(self):
        while self.transaction and self.give and self.sender.credit:
            self.transaction.send(self.sender, Message(body=self.give.pop(0), durable=True))
        if self.transaction and not self.take and not self.give and self.before_the_end():
            (self.transaction.commit if self.commit else self.transaction.abort)()
            self.transaction = None

    def before_the_end(self):
        return True

    def on_transaction_committed(self, event):
        self.end = "committed"
        self.connection.close()

    def on_transaction_aborted(self, event):
        self.end = "aborted"
        self.connection.close()

    def on_transaction_commit_failed(self, event):
        raise AssertionError("the commit failed")

    def on_transaction_declare_failed(self, event):
        raise AssertionError("the transaction was not declared")


def queues(name):
    pair = address(f"python.tx.{name}.from"), address(f"python.tx.{name}.to")
    send(pair[0], *range(10))
    return pair


for settle_first in (False, True):
    how = "settled before the discharge" if settle_first else "not settled before the discharge"

    @suite.test(f"a commit takes and sends all messages of a transaction ({how})")
    def commit(settle_first=settle_first):
        source, target = queues(f"commit.{settle_first}")
        equal("end", "committed", Moves(4, source, "abc", target, True, settle_first).run().end)
        equal("left", [4, 5, 6, 7, 8, 9], bodies(source))
        equal("sent", ["a", "b", "c"], bodies(target))

    @suite.test(f"an abort sends nothing, and what was taken comes back in its order ({how})")
    def abort(settle_first=settle_first):
        source, target = queues(f"abort.{settle_first}")
        equal("end", "aborted", Moves(4, source, "abc", target, False, settle_first).run().end)
        equal("left", list(range(10)), bodies(source))
        equal("sent", [], bodies(target))


@suite.test("nothing of a transaction is seen before its commit")
def isolation():
    source, target = queues("isolation")

    class Looks(Moves):
        def before_the_end(self):
            self.seen_before_the_end = bodies(source), bodies(target)
            return True

    seen = Looks(4, source, "abc", target, True).run().seen_before_the_end
    equal("seen by others before the commit", ([4, 5, 6, 7, 8, 9], []), seen)
    equal("sent", ["a", "b", "c"], bodies(target))


@suite.test("a transaction whose connection is closed before its end has no effect")
def closed():
    source, target = queues("closed")

    class Leaves(Moves):
        def before_the_end(self):
            self.connection.close()
            return False

    Leaves(4, source, "abc", target, True).run()
    equal("left", list(range(10)), bodies(source))
    equal("sent", [], bodies(target))


@suite.test("many transactions after one another on a connection each have their own end")
def many():
    queue = address("python.tx.many")

    class Alternates(Reactive, TransactionHandler):
        def __init__(self):
            Reactive.__init__(self)
            TransactionHandler.__init__(self)
            self.number = 0
            self.transaction = None

        def on_connection(self, event):
            self.sender = self.container.create_sender(self.connection, queue)

        def on_sendable(self, event):
            if not self.number:
                self.declare()

        def declare(self):
            self.number += 1
            self.container.declare_transaction(self.connection, handler=self)

        def on_transaction_declared(self, event):
            for part in "ab":
                event.transaction.send(self.sender, Message(body=f"{self.number}{part}", durable=True))
            event.transaction.commit() if self.number % 2 else event.transaction.abort()

        def next(self, event):
            self.declare() if self.number < 50 else self.connection.close()

        on_transaction_committed = on_transaction_aborted = next

    Alternates().run()
    equal("sent", [f"{n}{part}" for n in range(1, 51, 2) for part in "ab"], bodies(queue))


@suite.test("two open transactions on one connection do not mix")
def interleaved():
    queue = address("python.tx.interleaved")

    class Two(Reactive, TransactionHandler):
        def __init__(self):
            Reactive.__init__(self)
            TransactionHandler.__init__(self)
            self.transactions = []

        def on_connection(self, event):
            self.sender = self.container.create_sender(self.connection, queue)

        def on_sendable(self, event):
            if not self.transactions:
                self.transactions = [self.container.declare_transaction(self.connection, handler=self) for _ in range(2)]

        def on_transaction_declared(self, event):
            if all(transaction.id for transaction in self.transactions):
                for number in range(6):
                    self.transactions[number % 2].send(self.sender, Message(body=number, durable=True))
                self.transactions[0].abort()

        def on_transaction_aborted(self, event):
            self.transactions[1].commit()

        def on_transaction_committed(self, event):
            self.connection.close()

    Two().run()
    equal("sent", [1, 3, 5], bodies(queue))


@suite.test("a message that a transaction released or rejected is so at its commit")
def other_outcomes():
    source = address("python.tx.outcomes")
    send(source, "accept", "release", "reject")

    class Each(Moves):
        STATES = {"accept": Delivery.ACCEPTED, "release": Delivery.RELEASED, "reject": Delivery.REJECTED}

        def on_message(self, event):
            self.transaction.update(event.delivery, self.STATES[event.message.body])
            event.delivery.settle()
            self.take -= 1
            self.go_on()

    Each(3, source, [], address("python.tx.outcomes.to"), True).run()
    equal("left", ["release"], bodies(source))
    equal("dead", ["reject"], bodies(source + ".dlq"))


@suite.test("an abort after the broker's settlement counts as a failed attempt of each message")
def counts():
    source, target = queues("counts")
    Moves(2, source, [], target, False, settle_first=True).run()
    equal("delivery-count", [1, 1, 0], [m.delivery_count for m in contents(source)[:3]])
    equal("taken", (0, 1), (lambda m: (m.body, m.delivery_count))(receive(source)))

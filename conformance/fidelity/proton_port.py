"""Sends and receives messages as raw bytes with Qpid Proton: its codec for messages is never asked."""

import os
from typing import Dict, List, Optional

from proton import VERSION, Delivery, Described, Terminus, symbol, ulong
from proton.handlers import EndpointStateHandler, OutgoingMessageHandler, TransactionHandler
from proton.reactor import Container, Handler

LIMIT_SECONDS = 30
IN_TRANSACTION = 0x34
NAME, VERSION_TEXT = "python3-qpid-proton", ".".join(str(part) for part in VERSION)


class Talk(Handler, TransactionHandler):
    """One connection that does one thing and ends. Fails when the peer says no, or when it takes too long."""

    def __init__(self, url: str, options: Dict):
        super().__init__()
        self.handlers = [EndpointStateHandler(delegate=self), OutgoingMessageHandler(auto_settle=False, delegate=self)]
        self.url, self.options = url, options
        self.fault = ""
        self.done = False

    def run(self) -> None:
        container = Container(self)
        container.container_id = self.options.get("container") or f"fidelity.{os.getpid()}"
        container.run()
        if not self.done:
            raise AssertionError(self.fault or "the connection ended too early")

    def on_reactor_init(self, event) -> None:
        self.container = event.container
        self.limit = self.container.schedule(LIMIT_SECONDS, self)
        terms = {"max_frame_size": self.options["frame"]} if "frame" in self.options else {}
        self.connection = self.container.connect(self.url, reconnect=False, sasl_enabled=False, handler=self, **terms)

    def on_connection_opened(self, event) -> None:
        self.begin()

    def on_timer_task(self, event) -> None:
        self.fail(f"not done within {LIMIT_SECONDS} s: {self.state()}")

    def on_transport_error(self, event) -> None:
        self.fail(f"{event.transport.condition}")

    def on_connection_error(self, event) -> None:
        self.fail(f"the connection was closed: {event.connection.remote_condition}")

    def on_session_error(self, event) -> None:
        self.fail(f"the session was ended: {event.session.remote_condition}")

    def on_link_error(self, event) -> None:
        self.fail(f"the link was detached: {event.link.remote_condition}")

    def on_link_closing(self, event) -> None:
        self.fail("the link was detached")

    def fail(self, fault: str) -> None:
        self.fault = self.fault or fault
        self.end()

    def end(self) -> None:
        self.limit.cancel()
        self.connection.close()

    def finish(self) -> None:
        self.done = True
        self.end()


class Send(Talk):
    def __init__(self, url: str, address: str, messages: List[bytes], **options):
        super().__init__(url, options)
        self.address, self.messages = address, messages
        self.outcomes: List[Optional[str]] = [None] * len(messages)
        self.begun: Dict[str, int] = {}
        self.open = len(messages)
        self.in_pieces = False
        self.transaction = None

    def begin(self) -> None:
        self.sender = self.container.create_sender(self.connection, self.address, handler=self)
        if self.options.get("topic"):
            self.sender.target.capabilities.put_object(symbol("topic"))
        if self.options.get("transaction"):
            self.container.declare_transaction(self.connection, self)

    def state(self) -> str:
        return f"{self.open} of {len(self.messages)} have no outcome"

    def on_transaction_declared(self, event) -> None:
        self.transaction = event.transaction
        self.on_sendable(event)

    def on_transaction_declare_failed(self, event) -> None:
        self.fail("the transaction was not declared")

    def on_transaction_commit_failed(self, event) -> None:
        self.fail("the transaction was not committed")

    def on_transaction_committed(self, event) -> None:
        self.finish()

    def on_sendable(self, event) -> None:
        if self.in_pieces or (self.options.get("transaction") and self.transaction is None):
            return
        while self.sender.credit and len(self.begun) < len(self.messages):
            tag = str(len(self.begun))
            data = self.messages[len(self.begun)]
            self.begun[tag] = len(self.begun)
            delivery = self.sender.delivery(tag)
            if self.transaction is not None:
                delivery.local.data = [self.transaction.id]
                delivery.update(IN_TRANSACTION)
            piece = self.options.get("piece")
            if piece and len(data) > piece:
                self.in_pieces = True
                self.send_piece(data, 0)
                return
            self.sender.stream(data)
            self.sender.advance()

    def send_piece(self, data: bytes, start: int) -> None:
        """Sends a piece and comes back for the next one when this one is on its way, in a transfer of its own."""
        end = start + max(self.options["piece"], len(data) // 40)
        self.sender.stream(data[start:end])
        if end >= len(data):
            self.sender.advance()
            self.in_pieces = False
            self.on_sendable(None)
        else:
            self.container.schedule(0, Later(lambda: self.send_piece(data, end)))

    def on_delivery(self, event) -> None:
        delivery = event.delivery
        if not delivery.link.is_sender or delivery.link != self.sender or not delivery.updated or not delivery.remote_state:
            return
        n = self.begun[delivery.tag]
        if self.outcomes[n] is None:
            self.outcomes[n] = self.outcome(delivery)
            self.open -= 1
        delivery.settle()
        if self.open == 0:
            self.all_answered()

    @staticmethod
    def outcome(delivery: Delivery) -> str:
        state, data, condition = delivery.remote_state, delivery.remote.data, delivery.remote.condition
        if state == IN_TRANSACTION:
            state = data[1].descriptor if len(data) > 1 else None
        if state in (Delivery.ACCEPTED, "amqp:accepted:list"):
            return "accepted"
        return f"{state} {condition.name}: {condition.description}" if condition else f"{state}"

    def all_answered(self) -> None:
        if self.transaction is None:
            self.finish()
        else:
            self.transaction.commit()


class Later:
    def __init__(self, call):
        self.call = call

    def on_timer_task(self, event) -> None:
        self.call()


class Receive(Talk):
    def __init__(self, url: str, address: str, count: int, **options):
        super().__init__(url, options)
        self.address, self.count = address, count
        self.messages: List[bytes] = []
        self.begun: Dict[str, bytearray] = {}
        self.transaction = None
        self.to_fail: List[Delivery] = []

    def begin(self) -> None:
        self.receiver = self.container.create_receiver(self.connection, self.address, name=self.options.get("link"), handler=self)
        if self.options.get("durable"):
            self.receiver.source.capabilities.put_object(symbol("topic"))
            self.receiver.source.durability = Terminus.DELIVERIES
            self.receiver.source.expiry_policy = Terminus.EXPIRE_NEVER
        if self.options.get("browse"):
            self.receiver.source.distribution_mode = Terminus.DIST_MODE_COPY
        if self.options.get("transaction"):
            self.container.declare_transaction(self.connection, self)

    def state(self) -> str:
        return f"{len(self.messages)} of {self.count} came"

    def on_link_opened(self, event) -> None:
        if event.link != self.receiver:
            return
        if not event.link.remote_source.address:
            return  # refused: the detach that follows has the reason
        if self.count == 0:
            self.settled()
        elif not self.options.get("transaction"):
            self.receiver.flow(self.count)

    def on_transaction_declared(self, event) -> None:
        self.transaction = event.transaction
        self.receiver.flow(self.count)

    def on_transaction_declare_failed(self, event) -> None:
        self.fail("the transaction was not declared")

    def on_transaction_aborted(self, event) -> None:
        self.settled()

    def on_delivery(self, event) -> None:
        delivery = event.delivery
        if not delivery.link.is_receiver:
            return
        if delivery.readable:
            content = self.begun.setdefault(delivery.tag, bytearray())
            while delivery.pending:
                content += self.receiver.recv(delivery.pending) or b""
            if delivery.partial:
                return
            self.receiver.advance()
            self.messages.append(bytes(self.begun.pop(delivery.tag)))
            self.take(delivery)

    def take(self, delivery) -> None:
        if self.transaction is not None:
            delivery.local.data = [self.transaction.id, Described(ulong(0x24), [])]
            delivery.update(IN_TRANSACTION)
            delivery.settle()
        elif self.options.get("fail"):
            # Not before all are here: each of them would come again at once.
            self.to_fail.append(delivery)
        elif not self.options.get("browse"):
            delivery.update(Delivery.REJECTED if self.options.get("reject") else Delivery.ACCEPTED)
            delivery.settle()
        if len(self.messages) == self.count:
            if self.transaction is not None:
                self.transaction.abort()
            elif self.to_fail:
                self.fail_all()
            else:
                self.receiver.drain(1)
        elif len(self.messages) > self.count:
            self.fail("more messages came than were sent")

    def fail_all(self) -> None:
        for delivery in self.to_fail:
            delivery.local.failed = True
            delivery.local.annotations = {symbol("x-opt-tried"): 1}
            delivery.update(Delivery.MODIFIED)
            delivery.settle()
        self.settled()

    def on_link_flow(self, event) -> None:
        if event.link == self.receiver and len(self.messages) == self.count and event.link.credit == 0:
            self.settled()

    def settled(self) -> None:
        """All is here. The link is closed, or, of a durable subscription that is to stay, detached."""
        self.done = True
        if self.options.get("keep"):
            self.receiver.detach()
        else:
            self.receiver.close()

    def on_link_remote_close(self, event) -> None:
        if self.done:
            self.end()

    def on_link_remote_detach(self, event) -> None:
        if self.done:
            self.end()
        else:
            self.fail("the link was detached")

    def on_link_closing(self, event) -> None:
        if not self.done:
            self.fail("the link was closed")


class ProtonPort:
    name, version = NAME, VERSION_TEXT

    def __init__(self, url: str):
        self.url = url

    def send(self, address: str, messages: List[bytes], **options) -> List[str]:
        """Sends all, and returns what became of each: `accepted`, or the state with its reason."""
        talk = Send(self.url, address, messages, **options)
        talk.run()
        return talk.outcomes

    def receive(self, address: str, count: int, **options) -> List[bytes]:
        talk = Receive(self.url, address, count, **options)
        talk.run()
        return talk.messages

    def close(self) -> None:
        pass

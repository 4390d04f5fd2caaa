"""Browsers and selectors."""
from proton import Described, symbol, ulong
from proton.reactor import Copy, Filter, Selector
from proton.utils import LinkDetached

from client import bodies, connected, contents, receive, send
from suite import suite
from tap import address, equal

RED, GREEN = {"colour": "red"}, {"colour": "green"}


@suite.test("a browser sees all messages and leaves them there")
def browse():
    queue = address("python.browsed")
    send(queue, *range(50))
    for _ in range(2):
        equal("seen", list(range(50)), bodies(queue))
    equal("delivery-count", {0}, {m.delivery_count for m in contents(queue)})
    equal("taken afterwards", 0, receive(queue).body)


@suite.test("a browser's messages need no settlement, and what a browser does with them has no effect")
def browse_and_reject():
    queue = address("python.browsed-rejected")
    send(queue, 1, 2)
    with connected() as connection:
        receiver = connection.create_receiver(queue, credit=2, options=Copy())
        receiver.receive()
        if receiver.fetcher.unsettled:
            receiver.reject()
    equal("left", [1, 2], bodies(queue))


@suite.test("a selector, with its symbol for a descriptor, picks its messages and leaves the others")
def select():
    queue = address("python.selected")
    for number in range(10):
        send(queue, number, properties=GREEN if number % 2 else RED)
    equal("green", 1, receive(queue, Selector("colour = 'green'")).body)
    equal("left", [0, 2, 3, 4, 5, 6, 7, 8, 9], bodies(queue))
    equal("seen by a browser", [3, 5, 7, 9], bodies(queue, [Selector("colour = 'green'")]))


@suite.test("a selector is applied under any key, and with its number for a descriptor")
def select_by_number():
    queue = address("python.selected-by-number")
    send(queue, "no", properties=RED)
    send(queue, "yes", properties=GREEN)
    by_number = Filter({symbol("my-filter"): Described(ulong(0x468C00000004), "colour = 'green'")})
    equal("body", "yes", receive(queue, by_number).body)


@suite.test("selectors know the header and properties as JMS names them")
def select_on_headers():
    queue = address("python.selected-headers")
    send(queue, "low", priority=1, subject="a")
    send(queue, "high", priority=8, subject="a")
    send(queue, "other", priority=8, subject="b")
    equal("selected", ["high"], bodies(queue, [Selector("JMSPriority > 5 AND JMSType = 'a'")]))


@suite.test("a selector that can't be parsed refuses the link and says where the error is")
def bad_selector():
    with connected() as connection:
        try:
            connection.create_receiver(address("python.bad-selector"), options=Selector("colour = = 'green'"))
        except LinkDetached as e:
            equal("condition", "amqp:invalid-field", e.condition)
            return
    raise AssertionError("the link was not refused")


@suite.test("the broker's attach names the selector that it applies")
def echo():
    with connected() as connection:
        receiver = connection.create_receiver(address("python.echo"), options=Selector("colour = 'green'"))
        filters = receiver.link.remote_source.filter
        filters.rewind()
        filters.next()
        equal("filter", "colour = 'green'", filters.get_object()[symbol("selector")].value)

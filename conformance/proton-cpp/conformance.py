"""Runs the compiled examples and programs, and checks what they did; see client.toml."""
import os
import re

from proton import Message, symbol
from proton.reactor import LinkOption

from client import bodies, connected, contents, receive, send
from program import Program
from tap import Suite, address, crash, equal, restart

suite = Suite()
HOST = f"{os.environ['AMQP_HOST']}:{os.environ['AMQP_PORT']}"
USER_HOST = f"{os.environ.get('AMQP_USER_HOST')}:{os.environ.get('AMQP_USER_PORT')}"
USER, PASSWORD = os.environ.get("AMQP_USER", ""), os.environ.get("AMQP_PASSWORD", "")

VERSE = ["Twas brillig, and the slithy toves", "Did gire and gymble in the wabe.", "All mimsy were the borogroves,",
         "And the mome raths outgrabe."]


def program(name, *arguments):
    return Program([f"target/{name}", *arguments])


def run(name, *arguments):
    """Runs a program to its end and gives its lines."""
    with program(name, *arguments) as running:
        return running.finished()


def fails(name, *arguments):
    """Runs a program that must fail, and gives what it says."""
    with program(name, *arguments) as running:
        return running.failed()


def url(queue):
    return f"{HOST}/{queue}"


@suite.test("example helloworld: greets itself")
def hello():
    queue = address("cpp.hello")
    equal("output", ["Hello World!"], run("helloworld", HOST, queue))
    equal("left", [], bodies(queue))


@suite.test("examples simple_send and simple_recv: all messages, in order")
def simple():
    queue = address("cpp.simple")
    equal("sender", ["all messages confirmed"], run("simple_send", "-a", url(queue), "-m", "2000"))
    lines = run("simple_recv", "-a", url(queue), "-m", "2000")
    equal("received", list(range(1, 2001)), [int(re.search(r"(\d+)", line)[1]) for line in lines])
    equal("left", [], bodies(queue))


@suite.test("examples simple_send and simple_recv: a receiver that waits gets what comes")
def simple_waiting():
    queue = address("cpp.waiting")
    with program("simple_recv", "-a", url(queue), "-m", "500") as receiver:
        run("simple_send", "-a", url(queue), "-m", "500")
        equal("lines", 500, len(receiver.finished()))


@suite.test("examples colour_send and selected_recv: only what is selected")
def colours():
    queue = address("cpp.colours")
    run("colour_send", "-a", url(queue), "-m", "40")
    with program("selected_recv", HOST, queue) as receiver:
        equal("received", [f"green {n}" for n in range(1, 41, 2)], [receiver.line("") for _ in range(20)])
        # What has no answer yet comes back when the receiver is gone, but it is never red.
        receiver.killed()
    equal("red ones left", [f"red {n}" for n in range(2, 41, 2)], [body for body in bodies(queue) if body.startswith("red")])


@suite.test("example queue_browser: sees all messages, and they stay")
def browser():
    queue = address("cpp.browser")
    send(queue, *[f"message {n}" for n in range(50)])
    with program("queue_browser", HOST, queue) as running:
        equal("seen", [f"message {n}" for n in range(50)], [running.line("message") for _ in range(50)])
    equal("left", 50, len(contents(queue)))


@suite.test("examples client and server: each request is answered at a dynamic address")
def requests():
    queue = address("cpp.requests")
    with program("server", HOST, queue) as server:
        equal("client", [f"{line} => {line.upper()}" for line in VERSE], run("client", "-a", url(queue)))
        for line in VERSE:
            server.line(f"Received {line}")


@suite.test("example multithreaded_client: sends and receives at the same time")
def threads():
    lines = run("multithreaded_client", HOST, address("cpp.threads"), "500")
    equal("last line", "500 messages sent and received", lines[-1])
    equal("received", [f'received "{n}"' for n in range(1, 501)], [line for line in lines if line.startswith("received")])


@suite.test("example multithreaded_client_flow_control: four senders and receivers share two links")
def threads_and_credit():
    queue = address("cpp.threads-credit")
    lines = run("multithreaded_client_flow_control", HOST, queue, "250", "4")
    equal("last line", "1000 messages sent and received", lines[-1])
    sent, received = ({re.search('"(.*)"', line)[1] for line in lines if f'{word} "' in line} for word in ("sent", "received"))
    equal("received", sent, received)
    equal("left", [], bodies(queue))


@suite.test("example connection_options: small frames and an idle time-out of its own")
def options():
    lines = run("connection_options", url(address("cpp.options")))
    equal("first line", "connection events going to handler_2", lines[0])
    # What the broker says of itself; the example asks for frames of 2468 bytes and for a sign of life each 15 s.
    assert re.fullmatch(r"connection max_frame_size: \d+, idle timeout: \d+", lines[1]), lines[1]


for name in ("scheduled_send", "scheduled_send_03"):
    @suite.test(f"example {name}: what is sent in intervals is there")
    def scheduled(name=name):
        queue = address(f"cpp.{name}")
        lines = run(name, "-a", url(queue), "-i", "0.1", "-t", "1")
        assert len(lines) > 2 and set(lines) == {"send"}, lines
        equal("messages", ["ping"] * len(lines), bodies(queue))


@suite.test("example simple_connect: without a layer of SASL, and with ANONYMOUS")
def connect():
    run("simple_connect", "-a", HOST)
    run("simple_connect", "-a", HOST, "-s", "-m", "ANONYMOUS")


@suite.test("example simple_connect: PLAIN with the right password is let in, with a wrong one it is not",
            needs=["AMQP_USER_URL"])
def connect_user():
    login = ["simple_connect", "-a", USER_HOST, "-u", USER, "-m", "PLAIN", "-i", "-p"]
    run(*login, PASSWORD)
    said = fails(*login, "wrong")
    assert "amqp:unauthorized-access" in said, said


@suite.test("example simple_connect: PLAIN is not sent in clear text unless the user allows it", needs=["AMQP_USER_URL"])
def connect_insecure():
    fails("simple_connect", "-a", USER_HOST, "-u", USER, "-p", PASSWORD, "-m", "PLAIN")


@suite.test("example reconnect_client: goes through its list of addresses")
def failover():
    lines = run("reconnect_client", "amqp://127.0.0.1:1", address("cpp.failover"), "20", f"amqp://{HOST}")
    equal("received", list(range(1, 21)), [int(n) for n in re.findall(r'"?sequence"?[=:] ?(\d+)', " ".join(lines))])


for name, how, need in (("killed", crash, "BROKER_CRASH"), ("stopped", restart, "BROKER_RESTART")):
    @suite.test(f"example reconnect_client: goes on when the broker is {name} in between", needs=[need], limit_seconds=40)
    def reconnect(name=name, how=how):
        count = 20_000
        with program("reconnect_client", HOST, address(f"cpp.{name}"), str(count), f"amqp://{HOST}") as client:
            client.line("Sending: 50")
            how()
            assert client.running(), "it was done before the broker was gone"
            lines = client.finished(30)
        listening = [line for line in lines if line.startswith("simple_recv listening")]
        assert len(listening) >= 2, "it never connected again"
        received = [int(n) for n in re.findall(r'"?sequence"?[=:] ?(\d+)', " ".join(lines))]
        equal("received", list(range(1, count + 1)), received)


@suite.test("example service_bus, over TCP: a filter that is a bare string is no reason to refuse the link",
            needs=["AMQP_USER_URL"], limit_seconds=30)
def service_bus():
    queue = address("cpp.service-bus")
    with program("service_bus", "-n", USER_HOST, "-p", USER, "-k", PASSWORD, "-e", queue) as running:
        for number in range(7):
            running.line(f"sent message: message {number}")
        # Here it ends, for want of the filter in the answer: sessions are Service Bus' own.
        running.line("receiving messages with session identifier")


@suite.test("values of every type come back as they were, as bodies and as properties")
def types():
    assert "values came back" in run("programs", "types", HOST, address("cpp.types"))[-1]


@suite.test("messages are accepted, released, modified and rejected")
def outcomes():
    queue = address("cpp.outcomes")
    ways = ["accept", "release", "modify", "reject"]
    send(queue, *ways)
    equal("received", ways, run("programs", "outcomes", HOST, queue))
    left = contents(queue)
    equal("left", ["release", "modify"], [m.body for m in left])
    equal("dead", "reject", receive(queue + ".dlq").body)


@suite.test("a drain gives what there is and then ends, also when there is nothing more")
def drain():
    queue = address("cpp.drain")
    send(queue, "one", "two", "three")
    equal("output", ["one", "two", "three", "drained", "drained", "drained"], run("programs", "drain", HOST, queue))


@suite.test("a sender without an address sends each message to the address in it")
def relay():
    queue = address("cpp.relay")
    run("programs", "relay", HOST, queue)
    equal("arrived", [[0, 3, 6], [1, 4, 7], [2, 5, 8]], [bodies(f"{queue}.{n}") for n in range(3)])


@suite.test("links at most once carry settled messages, in their order")
def settled():
    equal("output", ["2000 in order"], run("programs", "settled", HOST, address("cpp.settled")))


class Topic(LinkOption):
    def apply(self, link):
        link.target.capabilities.put_object(symbol("topic"))

    def test(self, link):
        return link.is_sender


@suite.test("a durable subscription keeps what is published while its client is away")
def durable():
    topic = address("cpp.durable")

    def publish(*texts):
        with connected() as connection:
            sender = connection.create_sender(topic, options=Topic())
            for text in texts:
                sender.send(Message(body=text, durable=True))

    with program("programs", "subscribe", HOST, topic) as subscriber:
        subscriber.line("subscribed")
        publish("a", "end")
        subscriber.finished()
    publish("b", "c", "end")
    equal("when it is back", ["subscribed", "b", "c", "end"], run("programs", "subscribe", HOST, topic))


if __name__ == "__main__":
    suite.main([("qpid-proton for C++", "libqpid-proton-cpp12")])

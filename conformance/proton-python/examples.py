"""The examples that are shipped with the binding, as programs of their own, each with its effect checked."""
import os
import re
import signal
import tempfile
from contextlib import contextmanager

from client import bodies, send
from program import Program
from suite import suite
from tap import address, crash, equal

FOLDER = "/usr/share/proton/examples/python"
HOST = f"{os.environ['AMQP_HOST']}:{os.environ['AMQP_PORT']}"

VERSE = ["Twas brillig, and the slithy toves", "Did gire and gymble in the wabe.", "All mimsy were the borogroves,",
         "And the mome raths outgrabe."]
ANSWERS = [f"{line} => {line.upper()}" for line in VERSE]


def example(name, *options, cwd=None):
    return Program(["/usr/bin/python3", "-u", f"{FOLDER}/{name}.py", *options], cwd=cwd)


def run(name, *options, cwd=None):
    """Runs an example to its end and gives its lines."""
    with example(name, *options, cwd=cwd) as program:
        return program.finished()


@contextmanager
def moved(name, queue):
    """An example that has its address written in it, with another written in instead."""
    with open(f"{FOLDER}/{name}.py") as source, tempfile.TemporaryDirectory() as folder:
        text = source.read()
        assert '"localhost:5672"' in text and '"examples"' in text, f"{name} has changed"
        with open(f"{folder}/{name}.py", "w") as copy:
            copy.write(text.replace('"localhost:5672"', repr(HOST)).replace('"examples"', repr(queue)))
        with Program(["/usr/bin/python3", "-u", f"{folder}/{name}.py"], env={"PYTHONPATH": FOLDER}) as program:
            yield program


def url(queue):
    return f"{HOST}/{queue}"


def sequence(first, last):
    return [str({"sequence": number}) for number in range(first, last + 1)]


for name in ("helloworld", "helloworld_blocking"):
    @suite.test(f"example {name}: greets itself")
    def hello(name=name):
        queue = address(f"python.example.{name}")
        with moved(name, queue) as program:
            equal("output", ["Hello World!"], program.finished())
        equal("left", [], bodies(queue))


@suite.test("examples simple_send and simple_recv: all messages, in order")
def simple():
    queue = address("python.example.simple")
    equal("sender", ["all messages confirmed"], run("simple_send", "-a", url(queue), "-m", "1000"))
    equal("receiver", sequence(1, 1000), run("simple_recv", "-a", url(queue), "-m", "1000"))
    equal("left", [], bodies(queue))


@suite.test("examples simple_send and simple_recv: a receiver that waits gets what comes")
def simple_waiting():
    queue = address("python.example.waiting")
    with example("simple_recv", "-a", url(queue), "-m", "100") as receiver:
        run("simple_send", "-a", url(queue), "-m", "100")
        equal("receiver", sequence(1, 100), receiver.finished())


@suite.test("examples colour_send and selected_recv: only what is selected")
def colours():
    queue = address("python.example.colours")
    equal("sender", ["all messages confirmed"], run("colour_send", "-a", url(queue), "-m", "100"))
    equal("receiver", [f"green {n}" for n in range(1, 100, 2)], run("selected_recv", "-a", url(queue), "-m", "50"))
    equal("left", [f"red {n}" for n in range(2, 101, 2)], bodies(queue))


@suite.test("example queue_browser: sees messages from the first one on, and they stay")
def browser():
    queue = address("python.example.browser")
    send(queue, *range(1, 31))
    # It ends by itself when for the first time no message waits in the client, for in line 35 it asks for a method's truth.
    with moved("queue_browser", queue) as program:
        seen = [re.search(r"body=(\d+)", line)[1] for line in program.finished()]
    assert seen, "it saw nothing"
    equal("seen", [str(n) for n in range(1, len(seen) + 1)], seen)
    equal("left", list(range(1, 31)), bodies(queue))


@contextmanager
def serving(name, queue):
    if name == "server":
        with example(name, "-a", url(queue)) as server:
            yield server
    else:
        with moved(name, queue) as server:
            yield server


for client in ("client", "sync_client"):
    for server in ("server", "server_tx"):
        @suite.test(f"examples {client} and {server}: each request is answered")
        def requests(client=client, server=server):
            queue = address(f"python.example.{client}.{server}")
            with serving(server, queue) as program:
                equal("client", ANSWERS, run(client, "-a", url(queue)))
                if server == "server_tx":
                    for _ in ANSWERS:
                        program.line("Request processed successfully")
                    equal("left", [], bodies(queue))


@suite.test("examples client and abstract_server: each request is answered")
def abstract():
    queue = address("python.example.abstract")
    with moved("abstract_server", queue) as program:
        equal("client", ANSWERS, run("client", "-a", url(queue)))
        for _ in ANSWERS:
            program.line("Request from: ")


@suite.test("examples tx_send and tx_recv: batches in transactions")
def transactions():
    queue = address("python.example.tx")
    equal("sender", ["all messages committed"], run("tx_send", "-a", url(queue), "-m", "200", "-b", "20"))
    equal("receiver", sequence(1, 100), run("tx_recv", "-a", url(queue), "-m", "100", "-b", "25"))
    equal("left", list(range(101, 201)), [body["sequence"] for body in bodies(queue)])


@suite.test("example tx_recv_interactive: what was aborted comes again, what was committed does not")
def interactive():
    queue = address("python.example.interactive")
    send(queue, "one", "two", "three")
    with moved("tx_recv_interactive", queue) as program:
        program.line("transaction declared")
        for fetched, end in ((["one", "two"], "abort"), (["one", "two"], "commit"), (["three"], "abort")):
            for body in fetched:
                program.type("fetch")
                equal("fetched", body, program.line(body))
            program.type(end)
            program.line("transaction aborted" if end == "abort" else "transaction committed")
            program.line("transaction declared")
        program.type("quit")
    equal("left", ["three"], bodies(queue))


def records(folder, base):
    """What is in an example's data base, as its own example lists it."""
    return [re.match(r"\((\d+), '(.*)'\)", line).groups() for line in run("db_ctrl", "list", base, cwd=folder)]


def fill(folder, count):
    run("db_ctrl", "init", "src_db", cwd=folder)
    run("db_ctrl", "init", "dst_db", cwd=folder)
    with example("db_ctrl", "insert", "src_db", cwd=folder) as program:
        for number in range(1, count + 1):
            program.type(f"record {number}")
        program.end_input()
        program.finished()


@suite.test("examples db_send and db_recv: records move from one data base to another")
def data_base():
    queue = address("python.example.db")
    with tempfile.TemporaryDirectory() as folder:
        fill(folder, 300)
        run("db_send", "-a", url(queue), "-m", "300", cwd=folder)
        equal("records left at the sender", [], records(folder, "src_db"))
        run("db_recv", "-a", url(queue), "-m", "300", cwd=folder)
        equal("records at the receiver", [(str(n), f"record {n}") for n in range(1, 301)], records(folder, "dst_db"))
    equal("left", [], bodies(queue))


@suite.test("example db_recv: no record is lost or doubled when the broker is killed in between", needs=["BROKER_CRASH"],
            limit_seconds=50)
def receiver_crash():
    queue, count = address("python.example.db-recv"), 1500
    with tempfile.TemporaryDirectory() as folder:
        fill(folder, count)
        run("db_send", "-a", url(queue), "-m", str(count), cwd=folder)
        with example("db_recv", "-a", url(queue), "-m", str(count), cwd=folder) as receiver:
            receiver.line("inserted message 100")
            crash()
            assert receiver.running(), "it was done before the broker was killed"
            receiver.finished()
        equal("records at the receiver", [(str(n), f"record {n}") for n in range(1, count + 1)], records(folder, "dst_db"))


@suite.test("example db_send: no record is lost when the broker is killed in between", needs=["BROKER_CRASH"],
            limit_seconds=40,
            todo="when db_send.py has reconnected it reads again what is still under way and sends it a second time with the "
                 "same delivery-tag (lines 76 and 90), which must be unique (2.6.12); the broker ends the session and says so")
def sender_crash():
    queue, count = address("python.example.db-send"), 2000
    with tempfile.TemporaryDirectory() as folder:
        fill(folder, count)
        with example("db_send", "-a", url(queue), "-m", str(count), cwd=folder) as sender:
            sender.line("settled message 100")
            crash()
            assert sender.running(), "it was done before the broker was killed"
            sender.line(f"settled message {count}", limit_seconds=5)
        equal("records that are neither at the sender nor in the queue", set(),
              {f"record {n}" for n in range(1, count + 1)} - {r for _, r in records(folder, "src_db")} - set(bodies(queue)))


@suite.test("examples simple_send and simple_recv: an interrupted receiver loses nothing")
def interrupted():
    queue = address("python.example.interrupted")
    run("simple_send", "-a", url(queue), "-m", "50")
    with example("simple_recv", "-a", url(queue), "-m", "0") as receiver:
        receiver.line(str({"sequence": 50}))
        receiver.stopped(signal.SIGINT)
        taken = receiver.lines
    left = [str(body) for body in bodies(queue)]
    equal("taken or left", set(sequence(1, 50)), set(taken) | set(left))

"""Runs the compiled examples and programs, and checks what they did; see client.toml."""
import os
import re

from client import bodies, contents, send
from program import Program
from tap import Suite, address, equal

suite = Suite()
AT = [os.environ["AMQP_HOST"], os.environ["AMQP_PORT"]]


def program(name, queue, count):
    return Program([f"target/{name}", *AT, queue, str(count)])


def run(name, queue, count):
    """Runs an example to its end and gives its lines."""
    with program(name, queue, count) as running:
        return running.finished()


def ours(name, queue, count):
    """Runs a program of ours to its end and gives its lines."""
    with Program(["target/programs", name, *AT, queue, str(count)]) as running:
        return running.finished()


def sequence(lines):
    return [int(re.search(r'"sequence"=(\d+)', line)[1]) for line in lines]


@suite.test("examples send and receive: all messages, in order")
def simple():
    queue = address("c.simple")
    equal("sender", ["2000 messages sent and acknowledged"], run("send", queue, 2000))
    lines = run("receive", queue, 2000)
    equal("received", list(range(1, 2001)), sequence(lines[:-1]))
    equal("last line", "2000 messages received", lines[-1])
    equal("left", [], bodies(queue))


@suite.test("examples send and receive: a receiver that waits gets what comes")
def waiting():
    queue = address("c.waiting")
    with program("receive", queue, 300) as receiver:
        run("send", queue, 300)
        equal("received", list(range(1, 301)), sequence(receiver.finished()[:-1]))


@suite.test("example send-abort: what was aborted leaves nothing, and is not given to a receiver")
def send_abort():
    queue = address("c.send-abort")
    with program("receive", queue, 1) as receiver:
        equal("sender", ["50 messages started and aborted"], run("send-abort", queue, 50))
        run("send", queue, 1)
        equal("receiver", ['{"sequence"=1}', "1 messages received"], receiver.finished())
    equal("left", 0, len(contents(queue)))


@suite.test("of streamed messages the aborted ones leave nothing, wherever they were broken off, and the others are whole")
def aborts():
    queue = address("c.aborts")
    equal("sender", ["80 aborted, 40 accepted"], ours("aborts", queue, 120))
    expected = [bytes([number + 1]) * (1000 + number * 9973 % 200000) for number in range(2, 120, 3)]
    arrived = bodies(queue)
    equal("sizes", [len(body) for body in expected], [len(body) for body in arrived])
    assert expected == arrived, "the bytes differ"


@suite.test("a message sent to a receiver that settles second is settled by its sender, and is there once")
def send_second():
    queue = address("c.send-second")
    equal("sender", ["300 accepted, then settled by the sender"], ours("send-second", queue, 300))
    equal("arrived", 300, len(contents(queue)))


@suite.test("a receiver that settles second hears from the broker that each outcome has taken effect")
def receive_second():
    queue = address("c.receive-second")
    send(queue, *range(100))
    equal("receiver", ["100 settled by the broker"], ours("receive-second", queue, 100))
    equal("left", list(range(1, 100, 2)), bodies(queue))


@suite.test("a link that detached without closing and attaches again gets what it had not settled")
def reattach():
    queue = address("c.reattach")
    send(queue, *range(50))
    equal("receiver", ["50, and again"], ours("reattach", queue, 50))
    equal("left", [], bodies(queue))


@suite.test("a session with room for one frame of 512 bytes receives messages of many frames")
def window():
    queue = address("c.window")
    send(queue, *["x" * size for size in (1, 300, 500, 1000, 5000, 100_000) * 5])
    equal("receiver", ["30 received"], ours("window", queue, 30))
    equal("left", [], bodies(queue))


if __name__ == "__main__":
    suite.main([("qpid-proton for C", "libqpid-proton11")])

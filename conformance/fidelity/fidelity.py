"""The fidelity suite: what goes into a broker comes out of it byte for byte, whatever way it takes inside.

The messages are in corpus.py, what must be the same and what may change is in judge.py. Two clients send and receive them as raw bytes:
Qpid Proton, and rhea. What one sends the other receives; and what rhea receives it also reads, value by value, and must find what was
meant. Each way is gone twice, once in each direction.
"""

import os
import subprocess
import sys
from typing import Callable, Dict, List

import corpus
from corpus import Case
from judge import Changes, judge
from proton_port import ProtonPort
from rhea_port import RheaPort
from tap import Skip, Tap

RESTART_SECONDS = 60
LIMIT_SECONDS = 120
DURABLE = [case.durable() for case in corpus.all_cases()]


class Run:
    """One direction: who sends, and who receives."""

    def __init__(self, sender, receiver) -> None:
        self.sender, self.receiver = sender, receiver

    def address(self, way: str) -> str:
        return f"{os.environ['RUN_ID']}.fidelity.{way}.{self.sender.name}"

    def send(self, address: str, cases: List[Case], **options) -> None:
        outcomes = self.sender.send(address, [case.bytes for case in cases], **options)
        refused = [f"{case.name}: {outcome}" for case, outcome in zip(cases, outcomes) if outcome != "accepted"]
        if refused:
            raise AssertionError(f"{len(refused)} of {len(cases)} messages were not accepted:\n" + "\n".join(refused[:10]))

    def receive(self, address: str, cases: List[Case], may: Changes = Changes(), **options) -> None:
        self.check(cases, self.receiver.receive(address, len(cases), **options), may)

    def check(self, cases: List[Case], received: List[bytes], may: Changes) -> None:
        found = judge(cases, received, may)
        if isinstance(self.receiver, RheaPort):
            for case, message in zip(found, received):
                # Else its properties or annotations may differ as is allowed, and by now the rest is known to be the same.
                if not case.rhea and may == Changes():
                    read(self.receiver, case, message)

    # The ways.

    def at_once(self, cases: List[Case]) -> None:
        address = self.address("at-once")
        self.send(address, cases)
        self.receive(address, cases)

    def in_small_frames(self) -> None:
        address = self.address("frames")
        self.send(address, corpus.all_cases(), piece=50)
        # No message has more frames than half of rhea's window: see its fault below.
        self.receive(address, corpus.all_cases(), frame=2000)

    def restarted(self, command: str) -> None:
        if command not in os.environ:
            raise Skip("the broker cannot be restarted from here")
        address = self.address(command.lower().replace("_", "-"))
        self.send(address, DURABLE)
        subprocess.run(os.environ[command], shell=True, check=True, timeout=RESTART_SECONDS, stdout=sys.stderr)
        self.receive(address, DURABLE)

    def transacted(self) -> None:
        address = self.address("transaction")
        self.send(address, DURABLE, transaction=True)
        if isinstance(self.receiver, ProtonPort):
            # The receiving transaction is rolled back, so all come again.
            self.receive(address, DURABLE, transaction=True)
            self.receive(address, DURABLE, Changes(attempts=None))
        else:
            self.receive(address, DURABLE)

    def subscribed(self) -> None:
        address = self.address("topic")
        subscription = {"durable": True, "link": f"{address}.subscription", "container": f"{address}.{self.receiver.name}"}
        self.receiver.receive(address, 0, keep=True, **subscription)
        self.send(address, DURABLE, topic=True)
        self.receive(address, DURABLE, **subscription)

    def tried_again(self) -> None:
        address = self.address("tried")
        self.send(address, DURABLE)
        self.receive(address, DURABLE, fail=True)
        self.receive(address, DURABLE, Changes(attempts=1))

    def dead_lettered(self) -> None:
        address = self.address("dead")
        self.send(address, DURABLE)
        self.receive(address, DURABLE, reject=True)
        self.receive(address + os.environ.get("DEAD_LETTER_SUFFIX", ".dlq"), DURABLE, Changes(expiry=True, attempts=None))

    def browsed(self) -> None:
        address = self.address("browse")
        self.send(address, DURABLE)
        self.receive(address, DURABLE, browse=True)
        self.receive(address, DURABLE)

    def malformed(self) -> None:
        """Between any two bad messages there is a good one on the same link, which must not notice."""
        address = self.address("malformed")
        good = corpus.case("a good message", (corpus.HEADER, corpus.list_of(corpus.TRUE)), (corpus.VALUE, corpus.string("good")))
        bad = corpus.malformed()
        messages = [message for _, data in bad for message in (data, good.bytes)]
        outcomes = self.sender.send(address, messages)
        faults = []
        for (why, _), outcome, after in zip(bad, outcomes[::2], outcomes[1::2]):
            if "amqp:decode-error: " not in outcome or outcome.endswith(": "):
                faults.append(f"{why}: not refused as a decode error with a description, but {outcome}")
            if after != "accepted":
                faults.append(f"the good message after {why}: {after}")
        if faults:
            raise AssertionError("\n".join(faults))
        self.receive(address, [good] * len(bad))


def read(rhea: RheaPort, case: Case, message: bytes) -> None:
    means = rhea.decode(message)
    if means != case.means:
        wrong = next((pair for pair in zip(case.means, means) if pair[0] != pair[1]), (case.means, means))
        raise AssertionError(f"{case.name}: meant {str(wrong[0])[:500]}, rhea reads {str(wrong[1])[:500]}")


def faults_of_rhea() -> Dict[str, List[Case]]:
    faults: Dict[str, List[Case]] = {}
    for case in corpus.all_cases():
        if case.rhea:
            faults.setdefault(case.rhea, []).append(case)
    return faults


def all_read(rhea: RheaPort, cases: List[Case]) -> None:
    for case in cases:
        read(rhea, case, case.bytes)


def beyond_the_window(run: Run) -> None:
    case = corpus.case("a message of more than 2048 frames", (corpus.DATA, corpus.binary(bytes(1_200_000), 0xB0)))
    address = run.address("window")
    run.send(address, [case])
    run.receive(address, [case], frame=512, seconds=3)


def ways(tap: Tap, proton: ProtonPort, run: Run) -> None:
    def test(name: str, body: Callable[[], None], sender=run.sender) -> None:
        tap.test(f"{name}, from {sender.name} to {run.receiver.name}", body, LIMIT_SECONDS)

    # rhea has no transactions, so Proton sends to itself.
    within = Run(proton, run.receiver)
    for name, cases in corpus.SETS.items():
        test(f"{name}: all come as sent", lambda cases=cases: run.at_once(cases()))
    test("all messages come as sent, in small frames", run.in_small_frames)
    test("all messages come as sent after a restart of the broker", lambda: run.restarted("BROKER_RESTART"))
    test("all messages come as sent after a crash of the broker", lambda: run.restarted("BROKER_CRASH"))
    test("all messages come as sent in a transaction", within.transacted, proton)
    test("all messages come as sent to a durable subscription of a topic", run.subscribed)
    test("all messages come as sent after a failed attempt that left an annotation", run.tried_again)
    test("all messages come as sent, but for the time of expiry, to the dead-letter queue", run.dead_lettered)
    test("all messages come as sent to a browser, and to the consumer after it", run.browsed)
    test("what is no message is refused with the reason, and the others on its link come", run.malformed)


def main() -> int:
    tap = Tap()
    proton, rhea = ProtonPort(f"{os.environ['AMQP_HOST']}:{os.environ['AMQP_PORT']}"), RheaPort()
    tap.client(proton.name, proton.version)
    ways(tap, proton, Run(rhea, proton))
    tap.client(rhea.name, rhea.version)
    for reason, cases in faults_of_rhea().items():
        name = cases[0].name.split(",")[0]
        tap.test(f"reads {name}, and what is like it", lambda cases=cases: all_read(rhea, cases), LIMIT_SECONDS, reason)
    tap.test(
        "a message of more frames than the session's window comes",
        lambda: beyond_the_window(Run(proton, rhea)),
        LIMIT_SECONDS,
        todo="rhea/lib/session.js, Incoming.process: only here the window is renewed, and no transfer in the middle of a delivery leads here",
    )
    ways(tap, proton, Run(proton, rhea))
    rhea.close()
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

"""The broker under test: Millrace from its jar, which projects may crash; or another that is there already."""

import os
import random
import re
import secrets
import shlex
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from driver.errors import Broken, Wrong
from driver.options import Place, User

HOST = "127.0.0.1"
STOP_SECONDS = 10
_START_SECONDS = 60
_READER_SECONDS = 2
_PAGE = os.sysconf("SC_PAGE_SIZE")

# What a project runs to crash or restart the broker: it asks the driver, which owns the process, and waits for its answer.
# A shell is there sooner than Python: the broker is to be killed now, not when the load is over.
_ASK = """\
#!/bin/sh
set -e
cd "$(dirname "$0")"
mkfifo "answer.$$"
trap 'rm -f "answer.$$"' EXIT
echo "$1 $$" >orders
read -r answer <"answer.$$"
test "$answer" = done || { echo "the broker could not be started again: $answer" >&2; exit 1; }
"""


class Foreign:
    """A broker that is there already. It is neither crashed nor stopped, and its log is not known."""

    def __init__(self, place: Place, user: User | None):
        self.place = place
        self.user = user

    def environment(self) -> dict[str, str]:
        return environment(self.place, self.user)

    @property
    def places(self) -> list[Place]:
        return [self.place] + ([self.user.place] if self.user else [])


def environment(place: Place, user: User | None) -> dict[str, str]:
    """How projects find the broker, as the contract says."""
    told = {"AMQP_URL": str(place), "AMQP_HOST": place.host, "AMQP_PORT": str(place.port)}
    if user:
        told |= {
            "AMQP_USER_URL": str(user.place),
            "AMQP_USER_HOST": user.place.host,
            "AMQP_USER_PORT": str(user.place.port),
            "AMQP_USER": user.name,
            "AMQP_PASSWORD": user.password,
        }
    return told


def jar(root: Path, say) -> Path:
    """The newest jar of the broker; it is built if there is none."""
    found = _newest_jar(root)
    if found is None:
        say("building the broker")
        done = subprocess.run(
            ["mvn", "-q", "-B", "package", "-DskipTests"], cwd=root, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
        )  # fmt: skip
        found = _newest_jar(root)
        if done.returncode or found is None:
            raise Broken("the broker could not be built:\n" + "\n".join(done.stdout.splitlines()[-40:]))
    return found


def _newest_jar(root: Path) -> Path | None:
    jars = [each for each in (root / "target").glob("millrace-*.jar") if not re.search("-sources|-javadoc|-tests", each.name)]
    return max(jars, key=lambda each: each.stat().st_mtime, default=None)


def free_ports(count: int) -> list[int]:
    """Ports that nobody has, below those that the system gives to clients: a client that reconnects while the broker is down
    could get the broker's own."""
    try:
        lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        lowest = 32768
    low, high = (10000, lowest) if lowest > 12000 else (20000, 60000)
    ports = []
    for port in random.SystemRandom().sample(range(low, high), 500):
        if is_free(port):
            ports.append(port)
        if len(ports) == count:
            return ports
    raise Wrong("no free ports were found")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


class Millrace:
    """The broker as a process of the driver's, with a listener that lets everyone in and one for a user."""

    def __init__(self, root: Path, jar_file: Path, work: Path, log: Path, queues: str, first_port: int | None):
        self._root = root
        self._jar = jar_file
        self._work = work
        self.log = log
        if first_port is None:
            amqp, users, http = free_ports(3)
        else:
            amqp, users, http = range(first_port, first_port + 3)
            for port in (amqp, users, http):
                if not is_free(port):
                    raise Wrong(f"--ports {first_port}: port {port} is in use")
        self.place = Place(HOST, amqp)
        self.user = User(Place(HOST, users), "conformance", secrets.token_urlsafe(12))
        self._config = work / "millrace.yaml"
        self._config.write_text(self._yaml(http, queues), encoding="utf-8")
        self._process: subprocess.Popen | None = None
        # Held while the process is started or stopped.
        self._turn = threading.RLock()
        self._closing = False
        self.highest_rss = 0
        # Times at which it ended by itself, with what.
        self.deaths: list[str] = []
        # Times at which it was killed, in seconds since 1970.
        self.kills: list[float] = []
        self.starts = 0

    @property
    def places(self) -> list[Place]:
        return [self.place, self.user.place]

    def environment(self) -> dict[str, str]:
        told = environment(self.place, self.user)
        for name, order in (("BROKER_CRASH", "crash"), ("BROKER_RESTART", "restart")):
            told[name] = shlex.join([str(self._work / "ask"), order])
        return told

    def start(self) -> None:
        """Starts the broker, and what answers projects that want it crashed. Raises Broken if it does not listen."""
        fault = self._start()
        if fault:
            raise Broken(fault)
        ask = self._work / "ask"
        ask.write_text(_ASK, encoding="utf-8")
        ask.chmod(0o755)
        os.mkfifo(self._work / "orders")
        threading.Thread(target=self._answer, name="control", daemon=True).start()
        threading.Thread(target=self._watch, name="memory", daemon=True).start()

    def stop(self) -> str:
        """Stops the broker as an operator does. Returns what is wrong, or nothing."""
        with self._turn:
            self._closing = True
            return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Whatever the state, the broker is gone afterwards."""
        with self._turn:
            self._closing = True
            if self._process and self._process.poll() is None:
                self._process.kill()
                self._process.wait()

    def _yaml(self, http: int, queues: str) -> str:
        hashed = subprocess.run(
            ["java", "-jar", str(self._jar), "hash-password"],
            input=self.user.password + "\n", capture_output=True, text=True, check=False,
        )  # fmt: skip
        if hashed.returncode:
            raise Broken(f"{self._jar.name} hash-password failed:\n{hashed.stderr}")
        return (
            "listeners:\n"
            f"  - name: anonymous\n    host: {HOST}\n    port: {self.place.port}\n    anonymous: true\n"
            f"  - name: users\n    host: {HOST}\n    port: {self.user.place.port}\n    anonymous: false\n"
            f"http:\n  host: {HOST}\n  port: {http}\n"
            f"store:\n  directory: {self._work / 'data'}\n"
            f'users:\n  - name: {self.user.name}\n    password: "{hashed.stdout.split()[0]}"\n'
            + (f"queues:\n{queues}" if queues else "")
        )

    def _start(self) -> str:
        """Returns what is wrong, or nothing."""
        before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            # In a session of its own: a Ctrl-C is for the driver, and a project that is killed does not take it along.
            self._process = subprocess.Popen(
                ["java", "@config/jvm.options", "-Xmx512m", "-jar", str(self._jar), "--config", str(self._config)],
                cwd=self._root, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.starts += 1
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return f"the broker ended with exit code {self._process.returncode}:\n{self._log_from(before)}"
            if all(_listens(each.port) for each in self.places):
                return ""
            time.sleep(0.02)
        return f"the broker does not listen after {_START_SECONDS} s:\n{self._log_from(before)}"

    def _log_from(self, position: int) -> str:
        with self.log.open("rb") as log:
            log.seek(position)
            return log.read(20_000).decode(errors="replace").strip()

    def _end(self, how: signal.Signals) -> str:
        process = self._process
        if process.poll() is not None:
            self._died(process)
            return f"it had ended before, with exit code {process.returncode}"
        if how == signal.SIGKILL:
            self.kills.append(time.time())
        process.send_signal(how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return f"it had not ended {STOP_SECONDS} s after SIGTERM and was killed"
        return ""

    def _died(self, process: subprocess.Popen) -> None:
        self.deaths.append(f"exit code {process.returncode}, found at {time.strftime('%H:%M:%S')}")

    def revive(self) -> None:
        """Starts the broker if it ended by itself, for the sake of the projects that follow."""
        with self._turn:
            if self._process.poll() is not None:
                self._died(self._process)
                if fault := self._start():
                    raise Broken(fault)

    def _answer(self) -> None:
        # Open for writing, too: the end of one who asks is not the end of the file.
        with open(os.open(self._work / "orders", os.O_RDWR), encoding="ascii") as orders:
            for line in orders:
                order, _, number = line.strip().partition(" ")
                threading.Thread(target=self._obey, args=(order, number), daemon=True).start()

    def _obey(self, order: str, number: str) -> None:
        answer = self._again(signal.SIGTERM if order == "restart" else signal.SIGKILL)
        # Who asked reads next, unless it is gone; the broker is there again all the same.
        deadline = time.monotonic() + _READER_SECONDS
        while time.monotonic() < deadline:
            try:
                fifo = os.open(self._work / f"answer.{number}", os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                time.sleep(0.02)
                continue
            with open(fifo, "w", encoding="utf-8") as out:
                out.write(answer.replace("\n", " ")[:2000] + "\n")
            return

    def _again(self, how: signal.Signals) -> str:
        with self._turn:
            if self._closing:
                return "the run is over"
            fault = self._end(how)
            return self._start() or fault or "done"

    def _watch(self) -> None:
        while not self._closing:
            process = self._process
            try:
                pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
                self.highest_rss = max(self.highest_rss, pages * _PAGE)
            except (OSError, IndexError, ValueError):
                pass
            time.sleep(0.25)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), 1):
            return True
    except OSError:
        return False

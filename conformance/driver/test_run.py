"""Options, projects, programs and the broker's log."""

import contextlib
import io
import os
import socket
import tempfile
import threading
import time
import unittest
from pathlib import Path

from driver import brokerlog, install, options, probe, program, project
from driver.errors import Broken, Wrong
from driver.main import rows_of
from driver.options import Place, User
from driver.tap import FAILED, PASSED
from driver.test_tshark import frame, listed

GOOD = 'name = "a"\nrun = "true"\nminutes = 1\norder = 1\n'


class InAFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def project(self, text: str = GOOD, folder: str = "a") -> Path:
        file = self.folder / folder / project.FILE
        file.parent.mkdir()
        file.write_text(text, encoding="utf-8")
        return file


class Options(unittest.TestCase):
    def refused(self, *arguments: str) -> str:
        said = io.StringIO()
        with self.assertRaises(SystemExit) as ended, contextlib.redirect_stderr(said):
            options.parse(list(arguments))
        self.assertEqual(2, ended.exception.code)
        return said.getvalue()

    def test_urls(self):
        self.assertEqual(Place("localhost", 5672), options.parse(["amqp://localhost"]).url)
        self.assertEqual("amqp://[::1]:5673", str(options.parse(["amqp://[::1]:5673"]).url))
        user = options.parse(["--user-url", "amqp://joe:a%40b@broker:1", "amqp://broker"]).user_url
        self.assertEqual(User(Place("broker", 1), "joe", "a@b"), user)

    def test_what_makes_no_sense_is_refused_with_the_reason(self):
        self.assertIn("is not of the form amqp://host:port", self.refused("localhost:5672"))
        self.assertIn("said by --user-url", self.refused("amqp://joe:secret@localhost"))
        self.assertIn("amqp://user:password@host:port", self.refused("--user-url", "amqp://localhost", "amqp://localhost"))
        self.assertIn("no URL", self.refused("amqp://localhost:99999"))
        self.assertIn("give its URL", self.refused("--user-url", "amqp://a:b@localhost"))
        self.assertIn("what --offline forbids", self.refused("--install", "--offline"))
        self.assertIn("no names", self.refused("--only", ","))
        self.assertIn("1024 to 65533", self.refused("--ports", "80"))
        self.assertIn("is not a number from 1", self.refused("--max-rss", "many"))
        self.assertIn("all projects", self.refused("--write-table", "--only", "a"))
        self.assertIn("needs no broker", self.refused("--list", "amqp://localhost"))

    def test_names_and_patterns(self):
        self.assertEqual(["rhea", "qpid-1", "qpid-2"], options.chosen(["qpid-*", "rhea"], ["rhea", "joram", "qpid-1", "qpid-2"]))
        self.assertEqual(["a", "b"], options.chosen([], ["a", "b"]))
        with self.assertRaisesRegex(Wrong, "no such project; there are: a, b"):
            options.chosen(["c*"], ["a", "b"])


class Projects(InAFolder):
    def test_a_project_is_read(self):
        file = self.project(GOOD + 'debian = ["npm"]\nwhat = { x = "sends" }\nbroker = """\nqueues:\n- name: q\n  hold: 0\n"""')
        read = project.read(file)
        self.assertEqual((("npm",), "sends", ""), (read.debian, read.exercises("x"), read.exercises("y")))
        self.assertEqual("  - name: q\n    hold: 0\n", read.broker)

    def test_the_order_is_that_of_the_report(self):
        self.project(GOOD.replace("order = 1", "order = 7"))
        self.project(GOOD.replace('"a"', '"b"'), "b")
        self.assertEqual(["b", "a"], [each.name for each in project.find(self.folder)])

    def test_all_mistakes_are_told_at_once(self):
        self.project('name = "A b"\nrun = ""\nminutes = 0\nextra = 1')
        self.project("nonsense", "b")
        with self.assertRaises(Wrong) as found:
            project.find(self.folder)
        said = str(found.exception)
        for mistake in ("'order' is needed", "'name' is 'A b'", "'run' is ''", "'minutes' is 0", "'extra' is not known", "b/client.toml: "):
            self.assertIn(mistake, said)

    def test_two_projects_of_one_name_are_refused(self):
        self.project()
        self.project(GOOD, "b")
        with self.assertRaisesRegex(Wrong, "two projects are named a"):
            project.find(self.folder)


class Builds(InAFolder):
    def build(self, offline: bool = False) -> list[str]:
        said = []
        install.build(project.read(self.folder / "a" / project.FILE), set(), offline, said.append)
        return said

    def test_a_project_is_built_again_when_a_file_of_it_or_what_was_built_has_changed(self):
        file = self.project(GOOD + 'build = "mkdir -p node_modules"')
        self.assertEqual(["building a"], self.build())
        self.assertEqual([], self.build())
        (file.parent / "source").write_text("new")
        self.assertEqual(["building a"], self.build())
        (file.parent / "node_modules").rmdir()
        self.assertEqual(["building a"], self.build())
        self.assertEqual([], self.build(offline=True))

    def test_a_failed_build_shows_its_output(self):
        self.project(GOOD + 'build = "echo the reason; exit 3"')
        with self.assertRaisesRegex(install.Missing, "(?s)exit code 3.*the reason"):
            self.build()

    def test_offline_nothing_is_built(self):
        self.project(GOOD + 'build = "true"')
        with self.assertRaisesRegex(install.Missing, "conformance/run --install --only a"):
            self.build(offline=True)

    def test_packages_that_are_not_there(self):
        self.project(GOOD + 'debian = ["no-such-package"]')
        self.assertEqual(["no-such-package"], install.absent(["no-such-package", "sh"]))
        with self.assertRaisesRegex(install.Missing, "not installed: no-such-package"):
            install.build(project.read(self.folder / "a" / project.FILE), {"no-such-package"}, False, print)


class Programs(InAFolder):
    def run_program(self, script: str, minutes: float = 1) -> program.Run:
        file = self.project(f"name = 'a'\nrun = '''{script}'''\nminutes = {minutes}\norder = 1\n")
        self.seen = []
        return program.run(project.read(file), {"AMQP_URL": "amqp://here"}, self.folder, self.seen.append)

    def test_a_program_is_told_where_the_broker_is_and_read_as_it_speaks(self):
        os.environ["AMQP_USER"] = "of the caller"
        self.addCleanup(os.environ.pop, "AMQP_USER")
        run = self.run_program('echo "# client sh 5.2"; echo "ok 1 - $AMQP_URL $AMQP_USER."; echo oops >&2; printf 1..1')
        self.assertEqual(["amqp://here ."], [test.name for test in self.seen])
        self.assertEqual(([], "oops\n"), (run.faults, run.err.read_text()))
        self.assertEqual([("sh", "5.2", PASSED)], [(row.client, row.version, row.verdict) for row in rows_of(self.read(), run)])

    def test_a_program_that_does_not_end_is_ended_with_all_that_it_started(self):
        began = time.monotonic()
        run = self.run_program("echo ok 1; sleep 600 & echo $! > child; wait", minutes=0.01)
        self.assertLess(time.monotonic() - began, 30)
        self.assertIn("had not ended after 0.01 minutes", run.faults[0])
        child = int((self.folder / "a" / "child").read_text())
        state = Path(f"/proc/{child}/stat")
        self.assertTrue(not state.exists() or state.read_text().split()[2] == "Z")
        row = rows_of(self.read(), run)[0]
        self.assertEqual([PASSED, FAILED], [test.outcome for test in row.tests])

    def test_a_child_that_outlives_the_program_keeps_nobody_waiting(self):
        began = time.monotonic()
        run = self.run_program("sleep 600 & echo ok 1; echo 1..1")
        self.assertLess(time.monotonic() - began, 30)
        self.assertEqual([], run.faults)

    def test_a_program_that_says_nothing_has_a_row_of_its_own(self):
        rows = rows_of(self.read(), self.run_program("exit 7"))
        self.assertEqual([("a", FAILED)], [(row.client, row.verdict) for row in rows])
        self.assertIn("exit code 7", rows[0].tests[0].message)

    def read(self) -> project.Project:
        return project.Project(self.folder / "a", "a", "", 1, 1)


class BrokersLog(InAFolder):
    def test_errors_and_stack_traces_are_found(self):
        file = self.folder / "log"
        file.write_text(
            "2026-11-27T09:02:14.540Z INFO Service - ERROR is only a word here\n"
            "2026-11-27T09:02:15.540Z ERROR Queue - broken\n"
            "2026-11-27T09:02:16.540Z WARN Queue - odd\njava.lang.IllegalStateException: x\n\tat io.millrace.Queue.take(Queue.java:7)\n"
            "2026-11-27T09:02:17.540Z INFO Service - a list\n\tat the end\n"
        )
        entries = brokerlog.read(file)
        self.assertEqual([False, True, True, False], [each.is_error for each in entries])
        second = entries[1].moment
        self.assertEqual(["2026-11-27T09:02:15.540Z ERROR Queue - broken"], brokerlog.between(entries, second - 0.5, second + 0.5))


class Asking(unittest.TestCase):
    def answer(self, *answers: bytes) -> str:
        """What is made of a broker that gives these answers, whatever it is asked."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            def serve():
                with server.accept()[0] as connection, contextlib.suppress(ConnectionError):
                    for each in answers:
                        connection.recv(4096)
                        connection.sendall(each)
                    connection.recv(4096)

            thread = threading.Thread(target=serve)
            thread.start()
            try:
                return probe.product(Place("127.0.0.1", server.getsockname()[1]))
            finally:
                thread.join()

    def test_a_broker_that_lets_everyone_in_tells_who_it_is(self):
        sasl, amqp = b"AMQP\x03\x01\0\0", b"AMQP\0\x01\0\0"
        mechanisms = frame(listed(0x40, 1, b"\xa3\x09ANONYMOUS"), 1)
        outcome = frame(listed(0x44, 1, b"\x50\0"), 1)
        properties = b"\xc1\x0e\x02\xa3\x07product\xa1\x02Mi"
        opened = frame(listed(0x10, 10, b"\xa1\x01c" + b"\x40" * 8 + properties))
        self.assertEqual("Mi", self.answer(sasl + mechanisms, outcome, amqp + opened))

    def test_others_are_refused(self):
        with self.assertRaisesRegex(Broken, "speaks no AMQP 1.0"):
            self.answer(b"HTTP/1.1 400 Bad Request")
        with self.assertRaisesRegex(Broken, "no AMQP broker answers at amqp://127.0.0.1:"):
            self.answer(b"")
        with self.assertRaisesRegex(Broken, "no AMQP broker answers"):
            probe.product(Place("127.0.0.1", 1))


class Decoding(unittest.TestCase):
    def test_an_open_frame_is_understood(self):
        properties = b"\xc1\x12\x04\xa3\x07product\xa1\x01M\xa3\x01v\x54\xff"
        fields = b"\xa1\x01c" + b"\x40" * 5 + b"\xe0\x06\x02\xa3\x01a\x01b" + properties
        self.assertEqual(
            ["c", None, None, None, None, None, ["a", "b"], {"product": "M", "v": -1}],
            probe.decode(bytes([0x00, 0x53, 0x10, 0xC0, len(fields) + 1, 8]) + fields),
        )

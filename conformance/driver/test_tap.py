"""The reader of TAP."""

import unittest

from driver.tap import FAILED, FAULT, PASSED, SKIPPED, Reader, client_of, message_of


def read(text: str, exit_code: int | None = 0):
    """Each line comes a second after the last."""
    reader = Reader(0.0)
    for second, line in enumerate(text.strip("\n").split("\n"), 1):
        reader.line(line + "\n", float(second))
    return reader, reader.end(exit_code, 5)


class Tests(unittest.TestCase):
    def outcomes(self, text: str) -> list[str]:
        return [test.outcome for test in read(text)[0].tests]

    def test_each_kind_of_line_has_its_outcome(self):
        self.assertEqual(
            [PASSED, FAILED, SKIPPED, FAULT, SKIPPED],
            self.outcomes("ok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP why\nnot ok 4 - d # TODO whose\nnot ok 5 - e # skip\n1..5"),
        )

    def test_names_reasons_and_directives_are_told_apart(self):
        reader, _ = read(r"ok 1 - a \# in a name, and a \\ # SKIP no \# here" + "\nok 2 no dash\nok - no number\nok\nok 5 - C#skip\n1..5")
        self.assertEqual([r"a # in a name, and a \ ".strip(), "no dash", "no number", "test 4", "C#skip"], [t.name for t in reader.tests])
        self.assertEqual("no # here", reader.tests[0].reason)
        self.assertEqual(PASSED, reader.tests[4].outcome)

    def test_words_that_only_begin_like_a_test_are_output(self):
        reader, faults = read("okay\nnot okay\nnot\nokra 1\n  ok 1 - a subtest\nok 1 - a\n1..1")
        self.assertEqual(["a"], [test.name for test in reader.tests])
        self.assertEqual(["okay", "not okay", "not", "okra 1", "  ok 1 - a subtest"], reader.tests[0].output)
        self.assertEqual([], faults)

    def test_the_plan_may_come_first_or_last(self):
        self.assertEqual([], read("TAP version 14\n1..1\nok 1 - a")[1])
        self.assertEqual([], read("TAP version 14\nok 1 - a\n1..1")[1])

    def test_a_todo_that_passes_is_told(self):
        reader, faults = read("ok 1 - a # TODO their fault\n1..1")
        self.assertEqual((PASSED, "passed, although it is marked as a fault of the client"), (reader.tests[0].outcome, reader.tests[0].message))
        self.assertEqual([], faults)

    def test_a_test_begins_when_the_last_one_ended(self):
        reader, _ = read("TAP version 14\nok 1 - a\nnoise\nok 2 - b\n1..2")
        self.assertEqual([(0.0, 2.0), (2.0, 4.0)], [(test.began, test.ended) for test in reader.tests])

    def test_clients_begin_their_rows(self):
        reader, _ = read("# client rhea 3.0.5\nok 1 - a\n# client Qpid JMS 2.10.0\nok 2 - b\n# client rhea 3.0.5\nok 3 - c\n1..3")
        self.assertEqual([("rhea", "3.0.5"), ("Qpid JMS", "2.10.0")], reader.clients)
        self.assertEqual(["rhea", "Qpid JMS", "rhea"], [test.client for test in reader.tests])

    def test_a_clients_version_begins_with_a_digit(self):
        self.assertEqual(("Qpid JMS", "2.10.0"), client_of("Qpid JMS 2.10.0"))
        self.assertEqual(("collectd", "5.12.0-14 amqp1"), client_of("collectd 5.12.0-14 amqp1"))
        self.assertEqual(("amqp10", "v3.6.0"), client_of("amqp10 v3.6.0"))
        self.assertEqual(("7zip", "unknown"), client_of("7zip unknown"))
        self.assertEqual(("rhea", ""), client_of("rhea"))


class Diagnostics(unittest.TestCase):
    def message(self, yaml: str) -> str:
        reader, _ = read("not ok 1 - a\n  ---\n" + yaml + "\n  ...\nok 2 - b\n1..2")
        self.assertEqual(2, len(reader.tests))
        return reader.tests[0].message

    def test_messages_of_all_styles(self):
        self.assertEqual("plain: with a colon", self.message("  message: plain: with a colon"))
        self.assertEqual('quoted "so"\nnext', self.message('  message: "quoted \\"so\\"\\nnext"'))
        self.assertEqual("it's", self.message("  message: 'it''s'"))
        self.assertEqual("two\n  lines", self.message("  message: |-\n    two\n      lines\n  stack: |-\n    at"))
        self.assertEqual("folded into one", self.message("  message: >\n    folded\n    into one"))
        self.assertEqual("goes on below", self.message("  message: goes on\n    below"))
        self.assertEqual("", self.message("  found: 1"))

    def test_lines_that_look_like_tests_within_diagnostics_are_none(self):
        self.assertEqual("ok 7 - said the client\n---", self.message("  message: |\n    ok 7 - said the client\n    ---"))

    def test_diagnostics_without_an_end_end_at_the_next_test(self):
        reader, faults = read("not ok 1 - a\n  ---\n  message: lost\nok 2 - b\n1..2")
        self.assertEqual([(FAILED, "lost"), (PASSED, "")], [(test.outcome, test.message) for test in reader.tests])
        self.assertEqual([], faults)

    def test_diagnostics_at_the_very_end_are_kept(self):
        reader, faults = read("not ok 1 - a\n  ---\n  message: last")
        self.assertEqual("last", reader.tests[0].message)
        self.assertEqual(["has no plan: it did not come to its end"], faults)

    def test_a_rule_elsewhere_is_output(self):
        reader, _ = read("ok 1 - a\nnoise\n  ---\nok 2 - b\n1..2")
        self.assertEqual(["noise", "  ---"], reader.tests[1].output)

    def test_a_block_has_its_own_indentation(self):
        self.assertEqual("a\nb", message_of("message: |\n      a\n      b\nother: 1"))


class WholeRuns(unittest.TestCase):
    def faults(self, text: str, exit_code: int | None = 0) -> list[str]:
        return read(text, exit_code)[1]

    def test_a_good_run_has_no_fault(self):
        self.assertEqual([], self.faults("ok 1\n1..1"))

    def test_a_failed_test_is_no_fault_of_the_run_whatever_the_exit_code(self):
        self.assertEqual([], self.faults("not ok 1\n1..1", 1))
        self.assertEqual([], self.faults("not ok 1\n1..1", 0))

    def test_no_plan(self):
        self.assertEqual(["has no plan: it did not come to its end"], self.faults("ok 1"))
        self.assertEqual(["said nothing of any test"], self.faults("hello"))

    def test_a_wrong_plan(self):
        self.assertEqual(["planned 3 tests, but told of 1"], self.faults("1..3\nok 1"))
        self.assertEqual(["has more than one plan"], self.faults("1..1\nok 1\n1..1"))

    def test_wrong_numbers(self):
        self.assertEqual(["numbered test 2 as 3"], self.faults("ok 1\nok 3\n1..2"))

    def test_no_test_at_all(self):
        self.assertEqual(["has no test"], self.faults("1..0"))
        reader, faults = read("1..0 # SKIP no TLS here")
        self.assertEqual(([], "no TLS here"), (faults, reader.skip_all))

    def test_bail_out(self):
        reader, faults = read("ok 1\nBail out! the queue is gone\nok 2\n1..1", 1)
        self.assertEqual(1, len(reader.tests))
        self.assertEqual(["gave up: the queue is gone", "ended with exit code 1, although no test failed"], faults)

    def test_exit_codes_and_signals(self):
        self.assertEqual(["ended with exit code 3, although no test failed"], self.faults("ok 1\n1..1", 3))
        self.assertEqual(["was ended by signal 11"], self.faults("not ok 1\n1..1", -11))

    def test_time_that_is_over(self):
        self.assertEqual(["had not ended after 5 minutes and was killed"], self.faults("ok 1\n1..1", None))

    def test_output_without_end_is_not_kept(self):
        reader, _ = read("\n".join(f"noise {i} {'x' * 10_000}" for i in range(1000)) + "\nok 1\n1..1")
        self.assertEqual(200, len(reader.tests[0].output))
        self.assertTrue(reader.tests[0].output[-1].startswith("noise 999 "))
        self.assertEqual(2000, len(reader.tests[0].output[-1]))

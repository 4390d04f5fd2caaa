"""The report, in all its forms."""

import io
import json
import unittest

from driver import console, page
from driver.errors import Wrong
from driver.results import Report, Row
from driver.tap import FAILED, FAULT, PASSED, SKIPPED, Test


def report() -> Report:
    tests = [
        Test(1, "works", PASSED, 0.0, 1.5),
        Test(2, "breaks <b>", FAILED, 1.5, 2.0, message="it & that\nsecond", diagnostics="message: |\n  it", output=["<noise>"],
             frames=[f"frame {i}" for i in range(30)], frames_are="frames"),
        Test(3, "cannot", SKIPPED, 2.0, 2.0, reason="no TLS"),
        Test(4, "theirs", FAULT, 2.0, 3.0, reason="client.js:7 | never answers"),
    ]  # fmt: skip
    good = Row("a", "quiet", "2.0", "little", [Test(1, "works", PASSED, 3.0, 4.0)], notes=["first\n<second>"])
    return Report("Millrace 0.1.0", "amqp://127.0.0.1:1", 0.0, [Row("b", "loud", "1.0", "much | more", tests), good], ended=75.0)


class Counting(unittest.TestCase):
    def test_one_failure_fails_a_row_and_the_report(self):
        self.assertTrue(report().failed)
        self.assertEqual([FAILED, PASSED], [row.verdict for row in report().rows])
        self.assertEqual({PASSED: 2, FAILED: 1, SKIPPED: 1, FAULT: 1}, dict(report().totals()))

    def test_what_is_skipped_and_what_is_the_clients_fault_fails_nothing(self):
        some = report()
        some.rows[0].tests = some.rows[0].tests[2:]
        self.assertFalse(some.failed)
        self.assertEqual(FAULT, some.rows[0].verdict)
        some.rows[0].tests = some.rows[0].tests[:1]
        self.assertEqual(SKIPPED, some.rows[0].verdict)

    def test_nothing_is_no_success(self):
        self.assertTrue(Report("", "", 0.0).failed)


class OnTheConsole(unittest.TestCase):
    def test_the_table_has_a_line_for_each_client(self):
        lines = console.table(report().rows).splitlines()
        self.assertEqual(["client", "version"], lines[0].split()[:2])
        self.assertEqual(["loud", "1.0", "much", "|", "more", "1", "1", "1", "1"], lines[2].split())
        self.assertEqual(["quiet", "2.0", "little", "1", "0", "0", "0"], lines[3].split())

    def test_a_failure_is_shown_with_the_last_15_frames(self):
        text = console.failures(report().rows)
        self.assertIn("FAILED loud: breaks <b>\n    it & that\n    second\n    frames, the last 15:\n      frame 15\n", text)
        self.assertTrue(text.endswith("frame 29"))
        self.assertNotIn("theirs", text)

    def test_markdown_keeps_its_columns(self):
        self.assertIn("| loud | 1.0 | much \\| more | 1 passed, **1 failed**, 1 skipped, 1 fail by a fault of the client |", console.markdown(report()))

    def test_the_readme_gets_a_new_table_between_its_marks(self):
        readme = f"before\n{console.TABLE_BEGINS}\nold\n{console.TABLE_ENDS}\nafter\n"
        once = console.with_table(readme, "| new |\n")
        self.assertEqual(f"before\n{console.TABLE_BEGINS}\n\n| new |\n\n{console.TABLE_ENDS}\nafter\n", once)
        self.assertEqual(once, console.with_table(once, "| new |\n"))
        with self.assertRaises(Wrong):
            console.with_table("no marks", "| new |\n")

    def test_progress_is_one_line_where_there_is_no_terminal(self):
        out = io.StringIO()
        progress = console.Progress("a", out)
        for test in report().rows[0].tests:
            progress.test(test)
        progress.end(["has no plan"])
        self.assertRegex(out.getvalue(), r"^  not ok: breaks <b>\na +1 passed, 1 failed, 1 skipped, 1 by a fault of the client, 0 s\n  FAILED: has no plan\n$")


class AsAPage(unittest.TestCase):
    def test_it_escapes_what_it_shows_and_needs_no_other_file(self):
        html = page.html(report())
        self.assertIn("breaks &lt;b&gt;", html)
        self.assertIn("it &amp; that", html)
        self.assertIn("&lt;noise&gt;", html)
        self.assertIn("&lt;second&gt;", html)
        for outside in ("<b>\n", "<noise>", "src=", "http:", "https:", "<link", "<script"):
            self.assertNotIn(outside, html)

    def test_the_frames_of_a_failure_are_open(self):
        html = page.html(report())
        self.assertIn("<details open><summary class=faint>frames, the last 30</summary><pre>frame 0\nframe 1", html)
        self.assertIn("client.js:7 | never answers", html)

    def test_light_and_dark(self):
        self.assertIn("prefers-color-scheme: dark", page.html(report()))

    def test_an_interrupted_run_says_so(self):
        some = report()
        some.interrupted = True
        self.assertIn("interrupted</span></h1>", page.html(some))


class AsJson(unittest.TestCase):
    def test_it_tells_all(self):
        told = json.loads(json.dumps(report().as_json()))
        self.assertEqual((False, 75.0, 2), (told["passed"], told["seconds"], told["totals"]["passed"]))
        failed = told["rows"][0]["tests"][1]
        self.assertEqual(("breaks <b>", "failed", 0.5), (failed["name"], failed["outcome"], failed["seconds"]))
        self.assertEqual("1970-01-01T00:00:01.500Z", failed["began"])
        self.assertEqual(30, len(failed["frames"]))

"""The driver of the conformance runs: finds projects, builds them, starts a broker, runs them against it, and reports.

A run, in the order of the modules:

- options   what the user wants
- project   conformance/*/client.toml
- install   Debian packages, and the projects' own builds
- broker    the broker from the jar, which projects may crash; or one that is there already
- probe     who the broker says it is
- watch     the wire during the run:
  capture   what goes over it, by dumpcap
  tshark    the capture, read by tshark: the frames of a failed test, and an independent judgement of all frames
- program   a project's program, with a limit of time
- tap       what it says
- brokerlog what the broker says
- results   what came of it all
- console, page   the report as a table and as HTML
- main      the run

Python's standard library only, of Python 3.11.
"""

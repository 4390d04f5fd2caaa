"""The command line."""

import argparse
import fnmatch
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from driver.errors import Wrong

EPILOG = """\
environment:
  What is set goes to the projects, except for the names of the contract (AMQP_*, BROKER_*, RUN_ID).
  ORDERS=200000               how many orders the project orders sends, 20000 by default
  JORAM="--only Selector"     options of the project joram, whose --help lists them

examples:
  conformance/run                                   everything, against the broker from its jar
  conformance/run --only 'joram,qpid-*'             some projects
  conformance/run amqp://localhost:5672             against a broker that is there already
  conformance/run --user-url amqp://joe:secret@localhost:5673 amqp://localhost:5672

exit codes: 0 all passed, 1 something failed, 2 wrong usage, 130 interrupted
The report is target/conformance/report.html, with report.json and the output of every program beside it."""


@dataclass(frozen=True)
class Place:
    """Where a broker listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"amqp://{host}:{self.port}"

    @property
    def is_here(self) -> bool:
        return self.host in ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class User:
    """Who may log in, and where."""

    place: Place
    name: str
    password: str


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options, checked. Ends the process with 2 if they make no sense, as argparse does."""
    parser = argparse.ArgumentParser(
        prog="conformance/run",
        description="Runs other people's AMQP clients against a broker, by default one that it starts from the built jar, "
        "and writes a report.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "url", nargs="?", metavar="URL", type=_place,
        help="a broker that is there already, amqp://host:port, which lets everyone in. It is not crashed, and the tests that need that are skipped",
    )  # fmt: skip
    parser.add_argument(
        "--user-url", metavar="URL", type=_user,
        help="amqp://user:password@host:port, where that broker wants a user (without it, those tests are skipped)",
    )  # fmt: skip
    parser.add_argument("--only", metavar="NAMES", type=_names, default=[],
                        help="these projects, by name or pattern, with commas between: joram,'qpid-*'")  # fmt: skip
    parser.add_argument("--offline", action="store_true", help="install and build nothing; a project that needs it fails")
    parser.add_argument("--ports", metavar="FIRST", type=_first_port,
                        help="the broker's three ports are this one and the next two, instead of free ones")  # fmt: skip
    parser.add_argument("--max-rss", metavar="MIB", type=_positive, default=1024,
                        help="the broker fails when it takes more memory than this, %(default)s MiB")  # fmt: skip
    parser.add_argument("--no-capture", action="store_true", help="do not capture what goes over the wire")
    parser.add_argument("--keep", action="store_true",
                        help="keep the captures of all projects, not only of those that failed")  # fmt: skip
    parser.add_argument("--markdown", action="store_true", help="print the table of compatibility at the end, as Markdown")
    parser.add_argument("--write-table", action="store_true", help="put that table into conformance/README.md")
    instead = parser.add_argument_group("instead of a run").add_mutually_exclusive_group()
    instead.add_argument("--list", action="store_true", help="list the projects")
    instead.add_argument("--install", action="store_true",
                         help="install and build all that the projects need; afterwards they run without a network")  # fmt: skip
    instead.add_argument("--self-test", action="store_true", help="run the driver's own tests")
    options = parser.parse_args(arguments)
    _check_together(parser, options)
    return options


def _check_together(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.user_url and not options.url:
        parser.error("--user-url is for a broker that is there already: give its URL, too")
    if options.ports and options.url:
        parser.error("--ports is for a broker that is started here, not for one at a URL")
    if options.install and options.offline:
        parser.error("--install needs what --offline forbids")
    for instead in ("list", "install", "self_test"):
        if getattr(options, instead) and options.url:
            parser.error(f"--{instead.replace('_', '-')} needs no broker")
    if options.write_table and options.only:
        parser.error("--write-table needs a run of all projects, not --only some")
    if options.write_table and options.url:
        parser.error("--write-table is for Millrace from its jar, not for a broker at a URL")


def chosen(patterns: list[str], names: list[str]) -> list[str]:
    """The names that match one of the patterns; all if there is none."""
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise Wrong(f"--only {pattern}: there is no such project; there are: {', '.join(names) or 'none'}")
    return [name for name in names if not patterns or any(fnmatch.fnmatchcase(name, each) for each in patterns)]


def _names(value: str) -> list[str]:
    names = [name.strip() for name in value.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("no names were given")
    return names


def _positive(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) == 0:
        raise argparse.ArgumentTypeError(f"'{value}' is not a number from 1")
    return int(value)


def _first_port(value: str) -> int:
    port = _positive(value)
    if not 1024 <= port <= 65533:
        raise argparse.ArgumentTypeError(f"{port} is not from 1024 to 65533")
    return port


def _split(value: str):
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError as e:
        raise argparse.ArgumentTypeError(f"'{value}' is no URL: {e}") from e
    if url.scheme != "amqp" or not url.hostname or url.path not in ("", "/") or url.query or url.fragment:
        raise argparse.ArgumentTypeError(f"'{value}' is not of the form amqp://host:port")
    return url, Place(url.hostname, 5672 if port is None else port)


def _place(value: str) -> Place:
    url, place = _split(value)
    if url.username is not None:
        raise argparse.ArgumentTypeError("this one lets everyone in; where a user is needed is said by --user-url")
    return place


def _user(value: str) -> User:
    url, place = _split(value)
    if not url.username or not url.password:
        raise argparse.ArgumentTypeError(f"'{value}' is not of the form amqp://user:password@host:port")
    return User(place, unquote(url.username), unquote(url.password))

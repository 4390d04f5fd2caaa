"""A project: a folder below conformance/ with a client.toml."""

import re
import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path

from driver.errors import Wrong

FILE = "client.toml"


@dataclass(frozen=True)
class Project:
    """What client.toml says; see the README for the contract."""

    folder: Path
    name: str
    run: str
    minutes: float
    order: int
    debian: tuple[str, ...] = ()
    build: str = ""
    # Entries of the list "queues" in the broker's config.
    broker: str = ""
    # What the project exercises: for all its clients (""), or by client.
    what: tuple[tuple[str, str], ...] = ()

    def exercises(self, client: str) -> str:
        """What is exercised of a client, for the report."""
        known = dict(self.what)
        return known.get(client) or known.get("", "")


def find(folder: Path) -> list[Project]:
    """All projects, in the order of the report. All that is wrong in any of them is told at once."""
    projects, wrong = [], []
    for file in sorted(folder.glob(f"*/{FILE}")):
        try:
            projects.append(read(file))
        except Wrong as e:
            wrong.append(str(e))
    names = [each.name for each in projects]
    for name in sorted({name for name in names if names.count(name) > 1}):
        wrong.append(f"two projects are named {name}")
    if wrong:
        raise Wrong("\n".join(wrong))
    return sorted(projects, key=lambda each: (each.order, each.name))


def read(file: Path) -> Project:
    """One project, checked."""
    where = f"{file.parent.name}/{file.name}"
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise Wrong(f"{where}: {e}") from e
    wrong = _mistakes(content)
    if wrong:
        raise Wrong("\n".join(f"{where}: {each}" for each in wrong))
    what = content.get("what", "")
    return Project(
        folder=file.parent,
        name=content["name"],
        run=content["run"],
        minutes=content["minutes"],
        order=content["order"],
        debian=tuple(content.get("debian", [])),
        build=content.get("build", ""),
        broker=_entries(content.get("broker", "")),
        what=tuple(what.items()) if isinstance(what, dict) else (("", what),),
    )


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each for each in value)


_KEYS = {
    "name": (True, lambda v: isinstance(v, str) and re.fullmatch(r"[a-z0-9][a-z0-9.-]*", v), "a word of small letters, digits, '-' and '.'"),
    "run": (True, lambda v: isinstance(v, str) and v.strip(), "a shell command"),
    "minutes": (True, lambda v: type(v) in (int, float) and 0 < v <= 60, "a number up to 60"),
    "order": (True, lambda v: type(v) is int, "a whole number"),
    "debian": (False, _texts, "a list of package names"),
    "build": (False, lambda v: isinstance(v, str), "a shell command"),
    "broker": (False, lambda v: isinstance(v, str), "entries of the list 'queues' of the broker's config"),
    "what": (False, lambda v: isinstance(v, str) or (isinstance(v, dict) and _texts(list(v.values()))),
             "a sentence, or a table from client to sentence"),
}  # fmt: skip


def _mistakes(content: dict) -> list[str]:
    wrong = [f"'{key}' is needed: {meaning}" for key, (needed, _, meaning) in _KEYS.items() if needed and key not in content]
    for key, value in content.items():
        if key not in _KEYS:
            wrong.append(f"'{key}' is not known; allowed are {', '.join(_KEYS)}")
        elif not _KEYS[key][1](value):
            wrong.append(f"'{key}' is {value!r}, but must be {_KEYS[key][2]}")
    return wrong


def _entries(text: str) -> str:
    """YAML lines indented to be entries of a list. A first line "queues:" is forgiven."""
    text = re.sub(r"\A\s*queues:[ \t]*\n", "", text.expandtabs())
    lines = [line for line in text.splitlines() if line.strip()]
    return textwrap.indent(textwrap.dedent("\n".join(lines)), "  ") + "\n" if lines else ""

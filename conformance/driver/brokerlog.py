"""The broker's log: what of it is an error, and what was logged at a time."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

# 2026-11-27T09:02:14.540Z INFO Service - config: ...
_ENTRY = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:?\d\d))\s+([A-Z]+)\s")
_STACK = re.compile(r"\s+at [\w.$/<>]+\(.*\)|Caused by: |Exception in thread |.*\bOutOfMemoryError\b")


@dataclass
class Entry:
    """A line with a time, and the lines without one that follow it."""

    moment: float
    level: str
    lines: list[str]

    @property
    def is_error(self) -> bool:
        return self.level in ("ERROR", "FATAL") or any(_STACK.match(line) for line in self.lines)


def read(file: Path) -> list[Entry]:
    """All entries. Lines before the first one, as of a JVM that does not start, make an entry, too."""
    entries: list[Entry] = []
    if not file.exists():
        return entries
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            line = line.rstrip("\n")
            found = _ENTRY.match(line)
            if found:
                entries.append(Entry(datetime.fromisoformat(found.group(1)).timestamp(), found.group(2), [line]))
            elif entries:
                entries[-1].lines.append(line)
            else:
                entries.append(Entry(0.0, "", [line]))
    return entries


def between(entries: list[Entry], began: float, ended: float) -> list[str]:
    """The lines of a time."""
    return [line for each in entries if began <= each.moment <= ended for line in each.lines]

"""Installs what projects need, and builds them."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable

from driver.project import Project

# The driver's own.
TOOLS = ("tshark",)
_BUILD_MINUTES = 20
_APT_MINUTES = 20
_NEVER_SOURCE = {"target", "node_modules", "build", "__pycache__"}

Say = Callable[[str], None]


class Missing(Exception):
    """A project cannot be run. The message says why and what to do."""


def debian(projects: list[Project], offline: bool, say: Say) -> set[str]:
    """Installs packages that are not there, all at once. Returns those that are still not there."""
    wanted = sorted({package for each in projects for package in each.debian} | set(TOOLS))
    missing = absent(wanted)
    if not missing or offline:
        return set(missing)
    if not shutil.which("apt-get"):
        say(f"this is no Debian; install these yourself: {' '.join(missing)}")
        return set(missing)
    say(f"installing {' '.join(missing)}")
    _apt(["update", "-q"], say)
    if not _apt(_install(missing), say):
        # One unknown package must not keep the others away.
        for package in missing:
            _apt(_install([package]), say)
    return set(absent(missing))


def absent(packages: list[str]) -> list[str]:
    """Those that are not installed. A program of that name, from wherever, will do, too."""
    installed = set()
    if shutil.which("dpkg-query"):
        shown = subprocess.run(
            ["dpkg-query", "-W", "-f", "${db:Status-Status}\t${Package}\t${Provides}\n"],
            capture_output=True, text=True, check=False,
        ).stdout  # fmt: skip
        for line in shown.splitlines():
            status, package, provides = line.split("\t")
            if status == "installed":
                installed |= {package} | {each.split()[0] for each in provides.split(",") if each.strip()}
    return [each for each in packages if each not in installed and not shutil.which(each)]


def _install(packages: list[str]) -> list[str]:
    return ["install", "-y", "-q", "--no-install-recommends", *packages]


def _apt(arguments: list[str], say: Say) -> bool:
    # Set by env, since sudo passes no environment on. Without an answer, tshark would ask who may capture.
    command = ["env", "DEBIAN_FRONTEND=noninteractive", "DEBCONF_NONINTERACTIVE_SEEN=true", "apt-get", *arguments]
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            say("neither root nor sudo: nothing can be installed")
            return False
        command = ["sudo", *([] if sys.stdin.isatty() else ["-n"]), *command]
    try:
        done = subprocess.run(
            command, stdin=None if sys.stdin.isatty() else subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", timeout=60 * _APT_MINUTES, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        say(f"apt-get {arguments[0]} took more than {_APT_MINUTES} minutes")
        return False
    if done.returncode:
        say(f"apt-get {' '.join(arguments)} failed:\n" + "\n".join(done.stdout.splitlines()[-20:]))
    return done.returncode == 0


def build(project: Project, missing: set[str], offline: bool, say: Say) -> None:
    """Builds a project if it has changed since it was last built."""
    lacking = [each for each in project.debian if each in missing]
    if lacking:
        raise Missing(f"these Debian packages are not installed: {' '.join(lacking)}")
    if not project.build:
        return
    stamp = project.folder / "target" / "built.json"
    wanted = fingerprint(project)
    if _is_built(project, stamp, wanted):
        return
    if offline:
        raise Missing(f"it is not built: run conformance/run --install --only {project.name}")
    say(f"building {project.name}")
    stamp.unlink(missing_ok=True)
    try:
        done = subprocess.run(
            ["sh", "-c", project.build], cwd=project.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", timeout=60 * _BUILD_MINUTES, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as e:
        raise Missing(f"its build took more than {_BUILD_MINUTES} minutes: {project.build}") from e
    if done.returncode:
        shown = "\n".join(done.stdout.splitlines()[-60:])
        raise Missing(f"its build failed with exit code {done.returncode}: {project.build}\n{shown}")
    stamp.parent.mkdir(exist_ok=True)
    made = sorted(each.name for each in project.folder.iterdir() if each.name in _NEVER_SOURCE)
    stamp.write_text(json.dumps({"fingerprint": wanted, "made": made}), encoding="utf-8")


def _is_built(project: Project, stamp: Path, wanted: str) -> bool:
    try:
        built = json.loads(stamp.read_text(encoding="utf-8"))
        return built["fingerprint"] == wanted and all((project.folder / each).exists() for each in built["made"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def fingerprint(project: Project) -> str:
    """Of all that the build may depend on: the project's files, and the TAP writer that the Java projects share."""
    digest = hashlib.sha256(project.build.encode())
    for folder in (project.folder, project.folder.parent / "tap"):
        for file in _sources(folder):
            digest.update(f"\n{folder.name}/{file.relative_to(folder)}\n".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _sources(folder: Path) -> list[Path]:
    """The files of a folder without those that a build makes, which git ignores."""
    if not folder.is_dir():
        return []
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "."],
        cwd=folder, capture_output=True, check=False,
    ) if shutil.which("git") else None  # fmt: skip
    if listed is not None and listed.returncode == 0 and listed.stdout:
        files = [folder / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    else:
        files = [each for each in folder.rglob("*") if not _NEVER_SOURCE & set(each.relative_to(folder).parts)]
    return sorted(each for each in files if each.is_file())

"""The FastAPI service as a process, in a virtual environment of its own where it needs one."""

from __future__ import annotations

import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

from benchmarks.command import PROJECT

REQUIREMENTS = PROJECT / "benchmarks" / "requirements.txt"
FOLDER = PROJECT / ".local" / "benchmarks-rival"
APP = "benchmarks.fastapi_service.app:app"


def interpreter() -> Path:
    """A Python that has the pinned requirements: this one, or that of an environment made for them.

    Made anew where the requirements have changed since.
    """
    if all(_installed(*pin) for pin in _pins()):
        return Path(sys.executable)
    python, stamp = FOLDER / "bin" / "python", FOLDER / REQUIREMENTS.name
    wanted = REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"Installing {REQUIREMENTS.relative_to(PROJECT)} into {FOLDER} ...", flush=True)
        venv.create(FOLDER, clear=True, with_pip=True)
        install = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--requirement",
            str(REQUIREMENTS),
        ]
        if subprocess.run(install, check=False).returncode:
            sys.exit("The rival's requirements cannot be installed: see above what pip says.")
        stamp.write_text(wanted)
    return python


def command(port: int, workers: int) -> list[str]:
    """How to start it: its server's own defaults, without a log of every request."""
    python = str(interpreter())
    where = ("--host", "127.0.0.1", "--port", str(port), "--workers", str(workers))
    return [python, "-m", "uvicorn", APP, *where, "--no-access-log", "--log-level", "warning"]


def versions() -> str:
    """What it consists of, for the report."""
    return ", ".join(f"{name} {version}" for name, version in _pins())


def _pins() -> list[tuple[str, str]]:
    """Each requirement's name and version."""
    lines = (line.partition("#")[0].strip() for line in REQUIREMENTS.read_text().splitlines())
    pins = (line.partition("==") for line in lines if line)
    return [(name.partition("[")[0], version) for name, _, version in pins]


def _installed(name: str, version: str) -> bool:
    try:
        return metadata.version(name) == version
    except metadata.PackageNotFoundError:
        return False

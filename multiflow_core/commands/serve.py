"""Serving the dashboard."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from ..support.places import INSTALLED, ROOT
from .command import Command, register

MAIN = ROOT / "app" / "main.py"
_KEPT = {  # what an installed copy keeps in the folder where it is started, and a repository in its own
    "MULTIFLOW_CACHE": ".cache",
    "MULTIFLOW_CONFIG": "lab.toml",
    "MULTIFLOW_RESULTS": "results",
    "MULTIFLOW_UPLOADS": ".uploads",
}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: this machine alone)")
    parser.add_argument("--port", type=int, default=8501)


def environment() -> dict[str, str]:
    """That of the server."""
    kept = {name: str(Path.cwd() / place) for name, place in _KEPT.items()} if INSTALLED else {}
    return {"STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false", **kept, **os.environ}


def _run(options: argparse.Namespace) -> None:
    if not MAIN.is_file() or importlib.util.find_spec("streamlit") is None:
        raise ValueError("the dashboard is not installed here: take the whole project, and say `make app`.")
    said = ["--server.address", options.host, "--server.port", str(options.port), "--server.headless", "true"]
    served = [sys.executable, "-m", "streamlit", "run", str(MAIN), *said]
    try:
        done = subprocess.run(served, cwd=None if INSTALLED else ROOT, env=environment(), check=False)
    except KeyboardInterrupt:  # that is how one stops it
        return
    if done.returncode:
        raise SystemExit(1)


register(
    Command(
        "serve",
        "serve the dashboard; lab.toml says what visitors may do",
        _run,
        arguments=_arguments,
        place=85,
        examples=("python -m multiflow_core serve --host 0.0.0.0 --port 8501",),
    )
)

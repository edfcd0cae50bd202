"""Serving the dashboard."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

from .command import Command, register

MAIN = Path(__file__).resolve().parents[2] / "app" / "main.py"


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: this machine alone)")
    parser.add_argument("--port", type=int, default=8501)


def _run(options: argparse.Namespace) -> None:
    if not MAIN.is_file() or importlib.util.find_spec("streamlit") is None:
        raise ValueError("the dashboard is not installed here: take the whole project, and say `make app`.")
    said = ["--server.address", options.host, "--server.port", str(options.port), "--server.headless", "true"]
    done = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", str(MAIN), *said], cwd=MAIN.parents[1], check=False
    )
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

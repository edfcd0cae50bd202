"""Where the lab and what it brings lie: in a repository, or where pip has put them. Needs no torch."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # what holds both packages
_WITHIN = ROOT / "multiflow_core" / "assets"
INSTALLED = _WITHIN.is_dir()  # pip puts the built-in models into the package; in a repository they are beside it
ASSETS = _WITHIN if INSTALLED else ROOT / "assets"

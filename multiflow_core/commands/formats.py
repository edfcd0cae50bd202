"""Listing the formats of pruned checkpoints."""

from __future__ import annotations

import argparse

from ..models.format import FORMATS
from .command import Command, register


def _run(options: argparse.Namespace) -> None:
    for kind in FORMATS.all():
        print(f"{kind.name:<10} {kind.about}")


register(
    Command(
        "formats",
        "list the formats in which a pruned checkpoint can be written",
        _run,
        place=15,
    )
)

"""Listing the formats of pruned checkpoints."""

from __future__ import annotations

import argparse

from ..models.format import FORMATS
from .arguments import add_json, print_json
from .command import Command, register


def _run(options: argparse.Namespace) -> None:
    if options.json:
        return print_json([{"name": kind.name, "about": kind.about, "opens": kind.opens} for kind in FORMATS.all()])
    for kind in FORMATS.all():
        print(f"{kind.name:<10} {kind.about}")


register(
    Command(
        "formats",
        "list the formats in which a pruned checkpoint can be written",
        _run,
        arguments=add_json,
        place=15,
        examples=("python -m multiflow_core formats", "python -m multiflow_core formats --json"),
    )
)

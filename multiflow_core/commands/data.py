"""Showing what a data set holds."""

from __future__ import annotations

import argparse

from .arguments import add_json, data_names, print_json, shown_progress
from .command import Command, register


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="PATH", help=f"a file or folder of your own, or {data_names()}")
    parser.add_argument("--quick", action="store_true", help="do not open every picture")
    add_json(parser)


def _run(options: argparse.Namespace) -> None:
    from ..data import dataset, listing

    progress = None if options.quick else shown_progress
    if options.json:
        return print_json(listing.held(dataset.open(options.data), progress, thorough=not options.quick))
    for line in listing.lines(dataset.open(options.data), progress, thorough=not options.quick):
        print(line)


register(
    Command(
        "data",
        "show what a data set holds: how much of what, bad rows, three examples",
        _run,
        arguments=_arguments,
        place=30,
        examples=("python -m multiflow_core data PHOTOS", "python -m multiflow_core data PHOTOS --quick --json"),
    )
)

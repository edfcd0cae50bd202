"""Showing what a data set holds."""

from __future__ import annotations

import argparse

from .arguments import data_names, shown_progress
from .command import Command, register


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="PATH", help=f"a file or folder of your own, or {data_names()}")
    parser.add_argument("--quick", action="store_true", help="do not open every picture")


def _run(options: argparse.Namespace) -> None:
    from ..data import dataset, listing

    progress = None if options.quick else shown_progress
    for line in listing.lines(dataset.open(options.data), progress, thorough=not options.quick):
        print(line)


register(
    Command(
        "data",
        "show what a data set holds: how much of what, bad rows, three examples",
        _run,
        arguments=_arguments,
        place=30,
        examples=("python -m multiflow_core data PHOTOS",),
    )
)

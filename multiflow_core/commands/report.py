"""Writing the report of a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import add_json, add_model, add_results, add_run, count, print_json, shown_progress, taken_of
from .command import Command, register


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_run(parser)
    parser.add_argument("--out", type=Path, required=True, help="file to write, .html")
    add_results(parser)
    parser.add_argument(
        "--pictures", type=count, default=6, metavar="N", help="that both models are asked about (default: 6)"
    )
    add_json(parser)


def _run(options: argparse.Namespace) -> None:
    from ..experiments import report

    taken = taken_of(options)
    run = taken.vlm, taken.order, taken.masks, taken.manifest, taken.results
    file = report.write(options.out, *run, shown_progress, options.pictures)
    if options.json:
        return print_json({"file": file, "manifest": taken.manifest.held})
    print(file)


register(
    Command(
        "report",
        "write one page of HTML about a run: charts, tables, examples, and how to make it again",
        _run,
        arguments=_arguments,
        place=70,
        examples=("python -m multiflow_core report flatland-blip --sparsity 0.63 --out report.html",),
    )
)

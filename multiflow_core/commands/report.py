"""Writing the report of a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import add_model, add_run, asked_sample, count, known_of, opened, run_of, shown_progress
from .command import Command, register


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_run(parser)
    parser.add_argument("--out", type=Path, required=True, help="file to write, .html")
    parser.add_argument("--results", type=Path, help="result file; default: that of a built-in model")
    parser.add_argument(
        "--pictures", type=count, default=6, metavar="N", help="that both models are asked about (default: 6)"
    )


def _run(options: argparse.Namespace) -> None:
    from ..experiments import report
    from ..experiments.manifest import Manifest
    from ..experiments.prepare import order_of
    from ..experiments.results import Results
    from ..experiments.sweep import result_file

    vlm, run = opened(options), run_of(options)
    order = order_of(vlm, run, shown_progress, asked_sample(options), known_of(options, vlm))
    masks = order.masks(run.sparsity, progress=shown_progress)
    file = options.results or result_file(vlm.name, run.data or "flatland")
    results = Results.load(file) if options.results or file.is_file() else None
    manifest = Manifest.of(vlm, run, masks, options.pairs)
    print(report.write(options.out, vlm, order, masks, manifest, results, shown_progress, options.pictures))


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

"""Taking a run away: masks, checkpoints, statistics and report in one folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import add_json, add_model, add_run, asked_sample, known_of, opened, print_json, run_of, shown_progress
from .command import Command, register

KINDS = ("masks", "checkpoint", "packed", "statistics", "report")


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_run(parser)
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument(
        "--what", nargs="+", choices=KINDS, default=[], metavar="KIND", help=f"of {', '.join(KINDS)}; default: all"
    )
    parser.add_argument("--results", type=Path, help="result file for the report; default: that of a built-in model")
    parser.add_argument(
        "--dtype", choices=("float32", "float16", "bfloat16"), default="float32", help="of the checkpoint's weights"
    )
    add_json(parser)


def _run(options: argparse.Namespace) -> None:
    import torch

    from ..experiments.manifest import Manifest
    from ..experiments.prepare import order_of
    from ..experiments.results import Results
    from ..experiments.sweep import result_file
    from ..experiments.taking import Taken

    vlm, run = opened(options), run_of(options)
    order = order_of(vlm, run, shown_progress, asked_sample(options), known_of(options, vlm))
    masks = order.masks(run.sparsity, progress=shown_progress)
    file = options.results or result_file(vlm.name, run.data or "flatland")
    results = Results.load(file) if options.results or file.is_file() else None
    taken = Taken(vlm, order, masks, Manifest.of(vlm, run, masks, options.pairs), results)
    folder = taken.write(options.out, options.what, getattr(torch, options.dtype), shown_progress)
    if options.json:
        return print_json({"folder": folder, "manifest": taken.manifest.held})
    for path in sorted(folder.iterdir()):
        files = [path] if path.is_file() else list(path.rglob("*"))
        print(f"{path}  {sum(file.stat().st_size for file in files) / 1e6:.2f} MB")


register(
    Command(
        "export",
        "write masks, checkpoint, statistics and report of a run, with a manifest, into a new folder",
        _run,
        arguments=_arguments,
        place=55,
        examples=(
            "python -m multiflow_core export flatland-blip --sparsity 0.63 --out FOLDER",
            "python -m multiflow_core export MODEL --method omp --sparsity 0.75 --what packed report --out FOLDER",
        ),
    )
)

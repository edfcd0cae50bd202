"""Taking a run away: masks, checkpoints, statistics and report in one folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import add_json, add_model, add_results, add_run, print_json, shown_progress, taken_of
from .command import Command, register

KINDS = ("masks", "checkpoint", "packed", "statistics", "report")


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_run(parser)
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument(
        "--what", nargs="+", choices=KINDS, default=[], metavar="KIND", help=f"of {', '.join(KINDS)}; default: all"
    )
    add_results(parser)
    parser.add_argument(
        "--dtype", choices=("float32", "float16", "bfloat16"), default="float32", help="of the checkpoint's weights"
    )
    add_json(parser)


def _run(options: argparse.Namespace) -> None:
    import torch

    taken = taken_of(options)
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

"""Timing models on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..experiments.run import Run
from .arguments import add_model, count, shown_progress
from .command import Command, register


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument(
        "--method", default="multiflow", help="by which weights and units are ranked (default: multiflow)"
    )
    parser.add_argument(
        "--smaller",
        nargs="+",
        default=["0.5", "0.18"],
        metavar="SHARE",
        help="smaller models: the share of hidden units that stay, and perhaps whole blocks of vision that go, as in 0.5-1",
    )
    parser.add_argument("--sparsity", type=float, default=0.5, help="of single weights (default: 0.5)")
    parser.add_argument(
        "--batches",
        nargs="+",
        type=count,
        default=[1, 2, 4, 8, 16, 32],
        metavar="N",
        help="pictures at a time (default: 1 to 32)",
    )
    parser.add_argument("--repeats", type=count, default=7, metavar="N", help="how often each is timed (default: 7)")
    parser.add_argument("--threads", type=count, metavar="N", help="of PyTorch (default: as many as it takes)")
    parser.add_argument("--out", type=Path, help="file to write what was measured to, .json")


def _run(options: argparse.Namespace) -> None:
    import torch

    from ..experiments.candidates import Small, candidates
    from ..experiments.speed import Speeds, lines, machine, speeds
    from ..models.vlm import load

    if options.threads:
        torch.set_num_threads(options.threads)
    smalls = [Small.read(text) for text in options.smaller]
    vlm = load(options.model, device=options.device)
    run = Run(options.model, options.method)
    some = list(candidates(vlm, run, smalls, options.sparsity, progress=shown_progress))
    found = speeds(some, sorted(set(options.batches)), options.repeats, progress=shown_progress)
    result = Speeds(vlm.name, machine(next(vlm.model.parameters()).device), tuple(found))
    for line in lines(result):
        print(line)
    if options.out:
        print(result.save(options.out))


register(
    Command(
        "speed",
        "time the dense model, masked ones and smaller ones side by side, on this machine",
        _run,
        arguments=_arguments,
        place=65,
        examples=("python -m multiflow_core speed flatland-blip", "python -m multiflow_core speed MODEL --threads 1"),
    )
)

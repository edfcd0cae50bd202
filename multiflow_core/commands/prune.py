"""Writing masks, or the pruned checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..data.dataset import DEFAULT
from ..experiments.run import Run, read_option
from ..models.format import FORMATS
from .arguments import (
    add_fixed,
    add_model,
    add_pairs,
    add_source,
    add_statistics,
    asked_sample,
    calibrated_on,
    fixed_of,
    known_of,
)
from .command import Command, register


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("--method", default="multiflow")
    parser.add_argument(
        "--options", nargs="+", default=[], metavar="NAME=VALUE", help="of the method; the command methods lists them"
    )
    parser.add_argument("--sparsity", type=float, required=True, help="share of the prunable weights to remove, 0..1")
    parser.add_argument("--seed", type=int, default=0)
    add_source(parser, "--data", "--calibrate-on", use="that the method sees pairs of", default=DEFAULT)
    add_pairs(parser)
    add_statistics(parser)
    add_fixed(parser)
    parser.add_argument("--masks", type=Path, help="file to write the masks to, .safetensors")
    parser.add_argument("--out", type=Path, help="folder to write the pruned checkpoint to, which opens like any other")
    parser.add_argument("--format", default="plain", help="of the checkpoint, see the command formats (default: plain)")
    parser.add_argument(
        "--dtype", choices=("float32", "float16", "bfloat16"), default="float32", help="of the weights in it"
    )


def _run(options: argparse.Namespace) -> None:
    import torch

    from ..experiments.prepare import order_of
    from ..models.vlm import SOME_ZEROS, load
    from ..pruning.method import METHODS

    if not options.masks and not options.out:
        raise ValueError("give --masks FILE, --out FOLDER or both: nothing would be written")
    kind = FORMATS.get(options.format)
    # the model only runs where something is to be learnt of it; its weights are ranked in float32 whatever they are
    seen = METHODS.get(options.method).needs - ({"statistics"} if options.statistics else set())
    vlm = load(options.model, torch.float32 if seen else None, device=options.device)
    known = known_of(options, vlm)
    run = Run(
        options.model,
        options.method,
        options.sparsity,
        seed=options.seed,
        data=calibrated_on(options.calibrate_on),
        fixed=fixed_of(options),
        options=tuple(read_option(part, "=") for part in options.options),
    )
    order = order_of(vlm, run, sample=asked_sample(options), known=known)
    masks = order.masks(options.sparsity)
    if options.masks:
        print(masks.save(options.masks))
    if options.out:
        weights = order.weights(options.sparsity)
        pruned = vlm.prune(masks, weights) if weights else vlm  # what masks leave out is never written
        print(kind.write(pruned, masks, options.out, options.dtype and getattr(torch, options.dtype)))
    print(f"{masks.pruned:,} of {masks.total:,} weights pruned ({masks.sparsity:.4f})")
    if (before := vlm.zero_share()) >= SOME_ZEROS:
        print(
            f"  {before:.4f} were zero before, {vlm.zero_share(masks):.4f} are now: what was zero counts as pruned where it is"
        )
    if order.fixed:
        print(f"  {len(order.fixed)} layers fixed; {options.sparsity:.4f} of the other {order.total:,} weights")
    for modality, sparsity in order.modality_sparsity(options.sparsity).items():
        print(f"  {modality:<8} {sparsity:.3f}")


register(
    Command(
        "prune",
        "write the masks of a method at a sparsity, or the pruned checkpoint",
        _run,
        arguments=_arguments,
        place=50,
        examples=(
            "python -m multiflow_core prune flatland-blip --sparsity 0.63 --masks masks.safetensors --out FOLDER",
            "python -m multiflow_core prune MODEL --method omp --sparsity 0.75 --out FOLDER --format packed --dtype float16",
        ),
    )
)

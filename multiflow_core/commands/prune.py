"""Writing masks, or the pruned checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..models.format import FORMATS
from .arguments import add_model, add_run, asked_sample, known_of, opened, run_of, shown_progress
from .command import Command, register


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_run(parser)
    parser.add_argument("--masks", type=Path, help="file to write the masks to, .safetensors")
    parser.add_argument("--out", type=Path, help="folder to write the pruned checkpoint to, which opens like any other")
    parser.add_argument("--format", default="plain", help="of the checkpoint, see the command formats (default: plain)")
    parser.add_argument(
        "--dtype", choices=("float32", "float16", "bfloat16"), default="float32", help="of the weights in it"
    )


def _run(options: argparse.Namespace) -> None:
    import torch

    from ..experiments.manifest import MANIFEST, Manifest, beside
    from ..experiments.prepare import order_of
    from ..models.vlm import SOME_ZEROS

    if not options.masks and not options.out:
        raise ValueError("give --masks FILE, --out FOLDER or both: nothing would be written")
    kind = FORMATS.get(options.format)
    vlm = opened(options)
    known, run = known_of(options, vlm), run_of(options)
    order = order_of(vlm, run, shown_progress, asked_sample(options), known)
    masks = order.masks(options.sparsity, progress=shown_progress)
    manifest = Manifest.of(vlm, run, masks, options.pairs)
    if options.masks:
        print(masks.save(options.masks))
        manifest.save(beside(options.masks))
    if options.out:
        weights = order.weights(options.sparsity)
        pruned = vlm.prune(masks, weights) if weights else vlm  # what masks leave out is never written
        print(kind.write(pruned, masks, options.out, options.dtype and getattr(torch, options.dtype)))
        manifest.save(options.out / MANIFEST)
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

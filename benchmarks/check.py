"""The whole line on real folders, from loading to answers, with every result looked at.

python -m benchmarks.models FOLDER && python -m benchmarks.check FOLDER/*
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import torch
from torch import nn

import multiflow_core as mf
from benchmarks.measure import SPARSITIES
from benchmarks.models import pictures
from multiflow_core.models.formats.packed import save_packed
from multiflow_core.models.vlm import VLM
from multiflow_core.weights import packed_file


def check(folder: Path, pairs: int = 4) -> Iterator[str]:
    """One line of findings after each stage; AssertionError at the first that is not as it should be.

    >>> from .models import save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     list(check(save("clip-b32", Path(folder) / "clip", small=True)))[0]
    'CLIPModel: 41,921 parameters, 32,768 of them in 24 prunable layers; retrieval'
    """
    vlm, data = mf.load(folder), pictures(pairs)
    parameters, prunable = sum(p.numel() for p in vlm.model.parameters()), sum(layer.size for layer in vlm.layers)
    yield (
        f"{type(vlm.model).__name__}: {parameters:,} parameters, {prunable:,} of them in {len(vlm.layers)} prunable "
        f"layers; {', '.join(vlm.tasks)}"
    )
    yield traced(vlm, data)
    statistics = mf.calibrate(vlm.model, vlm.batches(data))
    assert not statistics.missing, f"never ran: {statistics.missing}"
    yield f"calibrated on {statistics.samples} pairs, every layer reached"
    for method in ("multiflow", "omp"):
        order = mf.rank(vlm.model, method, statistics=statistics)
        masks = [order.masks(sparsity) for sparsity in SPARSITIES]
        assert [m.pruned for m in masks] == [math.floor(s * prunable) for s in SPARSITIES]
        assert all((loose | tight) == loose for loose, tight in pairwise(masks)), "the masks are not nested"
        budgets = (f"{modality} {sparsity:.3f}" for modality, sparsity in order.modality_sparsity(0.75).items())
        yield f"{method}: exact and nested at {', '.join(map(str, SPARSITIES))}; at 0.75 {', '.join(budgets)}"
    yield f"dense: {answers(vlm, data)}"
    for sparsity, mask in zip(SPARSITIES, masks):
        yield f"omp {sparsity}: {answers(vlm.prune(mask), data)}"
    yield exported(vlm, masks[SPARSITIES.index(0.75)])


def traced(vlm: VLM, data: list) -> str:
    """The modalities found by experiment in the same modules, held so that no family knows them, against the family's."""
    found = {
        layer.name.removeprefix("held."): layer.modality
        for layer in mf.prunable_layers(
            nn.ModuleDict({"held": vlm.model}),
            batch=next(vlm.batches(data[:2])),
            forward=lambda _, batch: vlm.family.calibration_forward(vlm.model, batch),
        )
    }
    differ = [(layer.modality, found[layer.name]) for layer in vlm.layers if found[layer.name] != layer.modality]
    assert not differ or (vlm.family.name == "blip" and set(differ) == {("text", "fusion")}), (
        f"traced otherwise: {differ}"
    )
    same = f"{len(vlm.layers) - len(differ)} layers have the modality that tracing finds"
    return same + (f", {len(differ)} are fusion, which BLIP counts as text" if differ else "")


def answers(vlm: VLM, data: list) -> str:
    """What a model says to two of the pairs, task by task."""
    images, texts = [image for image, _ in data[:2]], [text for _, text in data[:2]]
    found = []
    if "retrieval" in vlm.tasks:
        similarity = vlm.embed_images(images) @ vlm.embed_texts(texts).T
        assert bool(torch.isfinite(similarity).all() and (similarity.abs() <= 1.001).all())
        matched = vlm.match(images, texts)
        assert matched is None or bool(((matched >= 0) & (matched <= 1)).all())
        found.append(f"similarity {similarity[0, 0]:.3f}" + ("" if matched is None else f", match {matched[0]:.3f}"))
    if "captioning" in vlm.tasks:
        caption = vlm.caption(images, 4)[0]
        assert len(caption.words) == len(caption.probabilities) and all(0 < p <= 1 for p in caption.probabilities)
        found.append(f'caption "{caption.text}"')
    if "vqa" in vlm.tasks:
        answer = vlm.answer(images, ["what colour is it?"] * 2, 2)[0]
        assert 0 <= answer.probability <= sum(chance for _, chance in answer.alternatives) <= 1.001
        found.append(f'answer "{answer.text}"')
    return "; ".join(found)


def exported(vlm: VLM, masks: mf.Masks) -> str:
    """The pruned checkpoint in float16, against the same without a mask, and read back."""
    with tempfile.TemporaryDirectory() as place:
        folder = save_packed(vlm, masks, Path(place) / "pruned", torch.float16)
        size = (folder / packed_file.FILE).stat().st_size
        dense = packed_file.bytes_loaded(folder / packed_file.FILE)
        again = mf.load(folder).model.state_dict()
    for name, tensor in vlm.prune(masks).model.state_dict().items():
        assert torch.equal(again[name], tensor.half().float() if tensor.is_floating_point() else tensor), name
    return f"float16 checkpoint at {masks.sparsity:.2f}: {size / 1e6:.0f} MB, {size / dense:.3f} of dense, bit by bit"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks.check", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--pairs", type=int, default=4, help="image-text pairs to calibrate on")
    options = parser.parse_args()
    for folder in options.folders:
        print(folder.name)
        began = time.perf_counter()
        try:
            for line in check(folder, options.pairs):
                print(f"  {time.perf_counter() - began:6.1f} s  {line}", flush=True)
        except (AssertionError, ValueError, OSError) as error:
            sys.exit(f"{folder}: {error or 'not as it should be'}")


if __name__ == "__main__":
    main()

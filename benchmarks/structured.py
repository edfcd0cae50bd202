"""Smaller dense models beside masks and beside Torch-Pruning: what each still can do, how fast it is, and the bars of the design.

python -m benchmarks.structured flatland-blip   # into assets/results/flatland-blip.speed.json, which the Speed page shows
python -m benchmarks.structured flatland-blip --pairs 32 --items 100 --repeats 3 --out speed.json

Models take turns, so that ratios hold where times do not. Torch-Pruning (Fang et al., 2023, arXiv 2301.12900) ranks hidden units by
magnitude and by Taylor's expansion of the training loss, a gradient of every calibration pair; as with it, what stays is left as it
is. It keeps as many units in every block as the models that it stands beside. CLIP has random weights, and is timed alone.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
import torch_pruning as tp
from torch import Tensor

import multiflow_core as mf
from app.engine.checkpoints import speed_file
from benchmarks.models import build, pictures
from multiflow_core.data import dataset
from multiflow_core.experiments.benchmark import full_exam, measure, short_exam
from multiflow_core.experiments.candidates import SMALLS, Small, candidates, small_of, widths_of
from multiflow_core.experiments.prepare import sample_of
from multiflow_core.experiments.run import Run
from multiflow_core.experiments.speed import BATCHES, Candidate, Measured, Speeds, Timing, lines, machine, speeds, timed
from multiflow_core.families import family_of
from multiflow_core.models.formats.plain import save_plain
from multiflow_core.models.smaller import smaller
from multiflow_core.models.vlm import VLM
from multiflow_core.pruning.exact_cut import keep_all_but
from multiflow_core.tasks.figures import intervals

PICTURES = 160  # of the bars
TASKS = ("retrieval", "captioning", "vqa")
FIGURES = {"retrieval": "IR@1", "captioning": "true", "vqa": "all"}
HALF, NARROW, FAST = SMALLS
IMPORTANCES: dict[str, Callable[[], tp.importance.Importance]] = {
    "magnitude": lambda: tp.importance.GroupMagnitudeImportance(p=2),
    "Taylor": tp.importance.GroupTaylorImportance,
}
BARS = {  # name of the model: (times as fast, {task: figure})
    HALF.name: (1.35, {"retrieval": 0.98, "captioning": 0.93, "vqa": 0.85}),
    FAST.name: (2.0, {"retrieval": 0.97, "captioning": 0.85}),
}
CLIP, CLIP_BAR = "clip-b32", 1.3


def importances(vlm: VLM, pairs: int, kind: str) -> dict[str, Tensor]:
    """{reader: what Torch-Pruning says each of its hidden units is worth}"""
    model = copy.deepcopy(vlm.model)
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    batches = list(vlm.batches(dataset.open().pairs(pairs, 0, vlm.side), 32))
    loss = vlm.family.objective
    graph = tp.DependencyGraph().build_dependency(model, example_inputs=batches[0], forward_fn=loss)
    for batch in batches:
        loss(model, batch).backward()
    found = {}
    for part in mf.units_of(model):
        (writer,) = part.writers
        module = model.get_submodule(writer.layer.name.removesuffix(".weight"))
        group = graph.get_pruning_group(module, tp.prune_linear_out_channels, idxs=list(range(part.units)))
        found[part.reader.layer.name] = IMPORTANCES[kind]()(group).detach().float()
    return found


def peer(vlm: VLM, beside: VLM, worth: dict[str, Tensor]) -> VLM:
    """The model with as many hidden units as another one has, those of the highest importance."""
    width, parts = widths_of(beside), mf.units_of(vlm.model)
    kept = {}
    for part in parts:
        gone = part.units - width[part.tower]
        kept[part.reader.layer.name] = torch.from_numpy(keep_all_but(worth[part.reader.layer.name].numpy(), gone))
    return replace(vlm, model=smaller(vlm.model, parts, kept).eval())


def compared(vlm: VLM, pairs: int, kept: Path | None = None) -> Iterator[Candidate]:
    """All models that are set side by side, the dense one first."""
    run = Run("", "multiflow")
    yield from candidates(vlm, run, ())
    own = {small: solved(vlm, run, small, pairs, kept) for small in SMALLS}
    yield from own.values()
    for kind in IMPORTANCES:
        worth = importances(vlm, pairs, kind)
        for small in (HALF, NARROW):
            made = peer(vlm, own[small].vlm, worth)
            name = f"Torch-Pruning, {kind}, {100 * small.keep:.3g} %"
            yield Candidate(name, made, "neurons", small.keep, None, widths_of(made))


def solved(vlm: VLM, run: Run, small: Small, pairs: int, kept: Path | None) -> Candidate:
    """A smaller model; in a folder it is kept for the next time."""
    place = kept / f"{vlm.name}-{small.keep:g}-{small.blocks}-{small.choose}-{pairs}" if kept else None
    if place is None or not place.is_dir():
        made = small_of(vlm, run, small, sample=sample_of(pairs))
        if place is None:
            return made
        save_plain(made.vlm, None, place)
    found = replace(mf.load(place), folder=vlm.folder)
    return Candidate(small.name, found, "neurons", small.keep, None, widths_of(found))


def ratio(dense: VLM, small: VLM, count: int, repeats: int) -> Timing:
    """How many times as fast a model looks at so many pictures: of pairs that were timed one right after the other."""
    seen = dense.image_inputs([picture for picture, _ in pictures(8)])
    inputs = {name: value.repeat(count // 8, *([1] * (value.ndim - 1))) for name, value in seen.items()}

    def all_of(vlm: VLM) -> None:
        for start in range(0, count, 64):
            vlm.family.embed_images(vlm.model, {name: value[start : start + 64] for name, value in inputs.items()})

    found = []
    for turn in range(repeats + 1):
        pair = [timed(lambda one=one: all_of(one), one) for one in (dense, small)]
        if turn:
            found.append(pair[0] / pair[1])
    return Timing.of(found)


def clip_ratio(repeats: int, small: bool = False) -> Timing:
    """The same of CLIP at its published size, with random weights and half of its hidden units."""
    model, processor = build(CLIP, small)
    vlm = VLM(CLIP, model.eval(), processor, family_of(model))
    return ratio(vlm, mf.slim(vlm, 0.5, "localmp", fit=False), 8, repeats)


def table(found: Sequence[Measured], by: dict[str, Timing]) -> str:
    """A Markdown table: a row for each model, with the tasks and how many times as fast it looks at pictures."""
    rows = [["", *(f"{task} {name}" for task, name in FIGURES.items()), f"times as fast, {PICTURES} pictures", "file"]]
    rows.append(["---"] * len(rows[0]))
    for one in found:
        scores = [f"{one.scores.get(task, {}).get(name, float('nan')):.3f}" for task, name in FIGURES.items()]
        fast = by[one.name]
        rows.append(
            [one.name, *scores, f"{fast.seconds:.2f} ({fast.low:.2f}-{fast.high:.2f})", f"{one.file / 1e6:.1f} MB"]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def verdicts(found: Sequence[Measured], by: dict[str, Timing]) -> Iterator[str]:
    """Each bar, and whether it is reached."""
    for one in found:
        if one.name in BARS:
            fast, least = BARS[one.name]
            scores = {task: one.scores[task][FIGURES[task]] for task in least if task in one.scores}
            reached = by[one.name].seconds >= fast and all(scores[task] >= least[task] for task in scores)
            said = ", ".join(f"{task} {scores[task]:.3f} (bar {least[task]:.2f})" for task in scores)
            yield f"{'reached' if reached else 'MISSED '} {one.name}: {by[one.name].seconds:.2f}x (bar {fast}x), {said}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks.structured", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="flatland-blip")
    parser.add_argument("--pairs", type=int, default=256, help="calibration pairs, with up to three questions each")
    parser.add_argument("--items", type=int, help="pictures for every task (default: as evaluate)")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--batches", nargs="+", type=int, default=BATCHES)
    parser.add_argument("--kept", type=Path, metavar="FOLDER", help="where smaller models are kept for the next time")
    parser.add_argument("--no-clip", dest="clip", action="store_false", help="leave CLIP out")
    parser.add_argument("--out", type=Path, help="file (default: where the Speed page looks for it)")
    asked = parser.parse_args(arguments)
    vlm = mf.load(asked.model)
    exam = full_exam("test", asked.items) if asked.items else short_exam()
    held, scores, between = [], [], []
    for one in compared(vlm, asked.pairs, asked.kept):
        figures = measure(one.vlm, exam, TASKS)
        held.append(one)
        scores.append({task: {name: float(value) for name, value in said.items()} for task, said in figures.items()})
        between.append({task: intervals(said) for task, said in figures.items()})
        told = ", ".join(f"{task} {scores[-1][task][FIGURES[task]]:.3f}" for task in figures)
        print(f"{one.name}: {told}", flush=True)
    found = [
        replace(one, scores=said, intervals=sure)
        for one, said, sure in zip(speeds(held, asked.batches, asked.repeats), scores, between, strict=True)
    ]
    by = {one.name: ratio(vlm, one.vlm, PICTURES, asked.repeats) for one in held}
    head = {"pairs": asked.pairs, "pictures": {name: [t.seconds, t.low, t.high] for name, t in by.items()}}
    result = Speeds(vlm.name, machine(), tuple(found), head)
    print(result.save(asked.out or speed_file(asked.model)))
    print("\n".join(lines(result)), "", table(found, by), "", *verdicts(found, by), sep="\n")
    if asked.clip:
        fast = clip_ratio(asked.repeats)
        reached = "reached" if fast.seconds >= CLIP_BAR else "MISSED "
        print(f"{reached} {CLIP}, random weights, half of the units: {fast.seconds:.2f}x (bar {CLIP_BAR}x)")


if __name__ == "__main__":
    main()

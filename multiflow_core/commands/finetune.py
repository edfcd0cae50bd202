"""Teaching a model a task, pruned or dense, and measuring it before and after."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.dataset import DEFAULT
from ..finetuning.recipe import ABOUT, Recipe
from ..models.format import FORMATS
from .arguments import (
    add_method,
    add_model,
    add_source,
    asked_sample,
    count,
    known_of,
    run_of,
    shown_progress,
)
from .command import Command, register

if TYPE_CHECKING:
    from ..finetuning.finetune import Tuned
    from ..models.vlm import VLM
    from ..weights.masks import Masks

DATA = "paperland"


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("--task", required=True, help="retrieval, captioning or vqa")
    add_source(parser, "--data", use="that it learns from", default=DATA)
    parser.add_argument("--method", help="that it is pruned by beforehand (default: it stays as it is)")
    parser.add_argument("--sparsity", type=float, default=0.63, help="share of the prunable weights to remove, 0..1")
    parser.add_argument("--masks", type=Path, help="file of masks to prune by, in place of a method")
    parser.add_argument("--seed", type=int, default=0, help="of the method, and of the order of lessons")
    add_source(parser, "--calibrate-on", use="that the method sees pairs of", default=DEFAULT)
    add_method(parser)
    for field in fields(Recipe):
        name, kind = f"--{field.name.replace('_', '-')}", type(field.default)
        parser.add_argument(name, type=kind, help=f"{ABOUT[field.name]} (default: {field.default})")
    parser.add_argument("--items", type=count, default=500, help="of the split test it is asked about (default: 500)")
    parser.add_argument("--work", type=Path, help="folder for the state from which the same command goes on")
    parser.add_argument("--out", type=Path, help="folder to write the fine-tuned checkpoint to")
    parser.add_argument("--differences", type=Path, help="folder to write masks and what it has learnt to, briefly")
    parser.add_argument("--figures", type=Path, help="file to write figures and curve to, .json")


def _run(options: argparse.Namespace) -> None:
    from ..data import dataset
    from ..finetuning import differences
    from ..finetuning.finetune import finetune
    from ..models.vlm import load
    from ..tasks.task import TASKS

    if options.method and options.masks:
        raise ValueError("give --method or --masks, not both")
    given = {f.name: value for f in fields(Recipe) if (value := getattr(options, f.name)) is not None}
    recipe, task, data = Recipe(**given), TASKS.get(options.task), dataset.open(options.data or DATA)
    vlm = load(options.model, device=options.device)
    pruned, masks = _pruned(vlm, options)
    settings = dict(masks=masks, seed=options.seed, recipe=recipe, folder=options.work, progress=shown_progress)
    tuned = finetune(pruned, task.name, data, **settings)
    exam = data.exam("test", options.items, options.items, -(-options.items // 3))
    figures = {"before": task.measure(pruned, exam)} if task.can(pruned) else {}
    figures["after"] = task.measure(tuned.vlm, exam)
    print(f"{tuned.steps:,} steps in {tuned.seconds:,.0f} s, {tuned.locked:,} weights held at zero, {tuned.precision}")
    for check in tuned.curve:
        print(f"  val after {check.step:>5,} steps: {check.figure:.3f}")
    for when, scores in figures.items():
        print(f"{when:<7} {'  '.join(f'{name} {value:.3f}' for name, value in scores.items())}")
    asked = {"model": vlm.name, "task": task.name, "data": data.name, "method": options.method or ""}
    asked |= {"sparsity": options.sparsity} if options.method else {}
    asked |= {"seed": options.seed, "recipe": asdict(recipe)}
    if options.figures:
        _write_figures(options.figures, asked, tuned, figures)
    if options.differences:
        print(differences.write(options.differences, task.name, vlm, tuned.vlm, masks, asked))
    if options.out:
        print(_write(tuned.vlm, masks, options.out))


def _pruned(vlm: VLM, options: argparse.Namespace) -> tuple[VLM, Masks | None]:
    """The model as it is fine-tuned, and its masks."""
    from ..experiments.prepare import order_of
    from ..weights.masks import Masks

    if options.masks:
        masks = Masks.load(options.masks)
        return vlm.prune(masks), masks
    if not options.method:
        return vlm, None
    order = order_of(vlm, run_of(options), sample=asked_sample(options), known=known_of(options, vlm))
    masks = order.masks(options.sparsity)
    return vlm.prune(masks, order.weights(options.sparsity)), masks


def _write_figures(file: Path, asked: Mapping[str, Any], tuned: Tuned, figures: Mapping[str, Any]) -> None:
    from ..support.atomic import write_text

    held = {name: getattr(tuned, name) for name in ("precision", "steps", "seconds", "locked")}
    curve = {"curve": [[check.step, check.figure] for check in tuned.curve]}
    found = {when: {name: float(value) for name, value in scores.items()} for when, scores in figures.items()}
    print(write_text(file, json.dumps({**asked, **held, **curve, **found}, indent=1) + "\n"))


def _write(vlm: VLM, masks: Masks | None, folder: Path) -> Path:
    from ..weights.masks import Masks

    return FORMATS.get("plain").write(vlm, masks if masks is not None else Masks({}), folder, None)


register(
    Command(
        "finetune",
        "teach a pruned or dense model a task, its zeros locked; resumable",
        _run,
        arguments=_arguments,
        place=55,
        examples=(
            "python -m multiflow_core finetune flatland-blip --task captioning --method multiflow --sparsity 0.75 --out FOLDER",
            "python -m multiflow_core finetune FOLDER --task vqa --data PHOTOS --work STATE --steps 2000 --device cuda",
        ),
    )
)

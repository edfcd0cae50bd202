"""The training loop, and the command that runs it."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from ..support.atomic import whole, write_text
from ..support.devices import present
from ..support.lanes import CPU, Lanes, added, faster_precision
from .batches import Batches
from .built_in import BUILT_INS
from .checks import check
from .objectives import Objectives
from .recipe import STAGES, Recipe

THREADS = 2
LOGGED = 20  # steps a line


@dataclass
class Progress:
    """How far training is: what is saved besides weights and moments.

    Attributes:
        recipe: with the precision that was measured, and with as many joint steps as there were once they have ended.
        step: the next one. seconds: spent. lines: of the log. checks: of the joint stage, its validations.
    """

    recipe: Recipe
    step: int = 0
    seconds: float = 0.0
    lines: list[str] = field(default_factory=list)
    checks: list[dict[str, float]] = field(default_factory=list)

    def stalls(self) -> bool:
        """Whether the last validations brought nothing."""
        means = [row["mean"] for row in self.checks]
        best = means.index(max(means)) if means else 0
        return len(means) - best > self.recipe.patience

    def finish(self) -> None:
        """End the joint stage here, so that the next step is the first of the fading."""
        done = max(0, self.step - self.recipe.begins("joint"))
        self.recipe = replace(self.recipe, joint=min(self.recipe.joint, done))


class Training:
    """A model, its moments and its progress, which are one file in `work`."""

    def __init__(self, name: str, recipe: Recipe, work: Path, device: torch.device = CPU):
        work.mkdir(parents=True, exist_ok=True)
        self.file, self.log = work / "state.pt", work / "log.jsonl"
        torch.manual_seed(recipe.seed)
        self.net, self.device = BUILT_INS.get(name).new().to(device), device
        self.optimizer = optimizer(self.net, recipe)
        if self.file.exists():
            state = torch.load(self.file, map_location=device, weights_only=True)
            self.net.load_state_dict(state["net"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.progress = Progress(Recipe(**state["progress"].pop("recipe")), **state["progress"])
        else:
            precision = faster_precision(device) if recipe.precision == "measured" else recipe.precision
            self.progress = Progress(replace(recipe, precision=precision))

    def save(self) -> None:
        state = {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}
        with whole(self.file) as place:
            torch.save(state | {"progress": asdict(self.progress)}, place)
        write_text(self.log, "".join(f"{line}\n" for line in self.progress.lines))

    def run(self, save_every: int, workers: int) -> None:
        """Stage by stage, to the end."""
        for stage in STAGES:
            while self.progress.step < self.progress.recipe.begins(stage) + getattr(self.progress.recipe, stage):
                self._stretch(stage, save_every, workers)

    def _stretch(self, stage: str, save_every: int, workers: int) -> None:
        """The steps of a stage, or those up to where a validation ends it."""
        recipe, start = self.progress.recipe, self.progress.step
        first = recipe.begins(stage)
        end = first + getattr(recipe, stage)
        batches = DataLoader(
            Batches(recipe, start, end), None, num_workers=workers, prefetch_factor=4 if workers else None
        )
        lanes = Lanes(THREADS, recipe.precision, self.device)
        began = time.monotonic() - self.progress.seconds
        since: list[dict[str, float]] = []  # the last line
        for step, batch in enumerate(batches, start):
            rate = recipe.rate(stage, step - first)
            batch = {name: values.to(self.device, non_blocking=True) for name, values in batch.items()}
            since.append(train_step(self.net, self.optimizer, lanes, stage, rate, batch))
            self.progress.step, self.progress.seconds = step + 1, time.monotonic() - began
            if (step + 1) % LOGGED == 0:
                self._note({"step": step + 1, **means(since)})
                since = []
            if stage == "joint" and (step + 1 - first) % recipe.check_every == 0:
                self._check()
            if (step + 1) % save_every == 0 or step + 1 == end:
                self.save()
            if self.progress.recipe != recipe:  # the stage has ended early, and so has what the batches were made for
                break

    def _note(self, line: dict[str, Any]) -> None:
        seconds = round(self.progress.seconds)
        self.progress.lines.append(json.dumps({k: round(v, 4) for k, v in {**line, "seconds": seconds}.items()}))

    def _check(self) -> None:
        """Validate, and end the joint stage where that stands still."""
        figures = check(self.net)
        self.progress.checks.append(figures)
        self._note({"step": self.progress.step, **{f"val {name}": value for name, value in figures.items()}})
        if self.progress.stalls():
            self.progress.finish()
        self.save()


def means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each figure over several steps, whose batches are not all of one kind.

    >>> means([{"lm": 1.0}, {"lm": 3.0}])
    {'lm': 2.0}
    """
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def optimizer(net: Objectives, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW with a weight decay for vision and another for text; biases, norms and temperatures have none."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in net.named_parameters():
        decay = recipe.vision_decay if "vision" in name else recipe.text_decay
        groups.setdefault(decay if parameter.ndim > 1 else 0.0, []).append(parameter)
    return torch.optim.AdamW(
        [{"params": found, "weight_decay": decay} for decay, found in groups.items()],
        lr=recipe.learning_rate,
        betas=(0.9, 0.98),
        fused=True,
    )


def train_step(
    net: Objectives,
    optimizer: torch.optim.Optimizer,
    lanes: Lanes,
    stage: str,
    rate: float,
    batch: dict[str, Tensor],
) -> dict[str, float]:
    """One step: images half by half, then the losses side by side on what was seen, then the halves again."""
    wanted, halves, image = list(net.parameters()), [], None
    if stage != "wording":
        halves = lanes.map(net.image_states, batch["pixel_values"].chunk(THREADS))
        image = torch.cat(halves).detach().float().requires_grad_()
        wanted = [image, *wanted]
    gradients, figures = lanes.backward(net.losses(stage, image, batch), wanted)
    if image is not None:
        seen = [
            lambda half=half, by=by: ((half * by).sum(), {}) for half, by in zip(halves, gradients[0].chunk(THREADS))
        ]
        looked, _ = lanes.backward(seen, wanted[1:])
        wanted, gradients = wanted[1:], [added(pair) for pair in zip(gradients[1:], looked)]
    for parameter, gradient in zip(wanted, gradients):
        parameter.grad = gradient
    for group in optimizer.param_groups:
        group["lr"] = rate
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    return {name: value.item() for name, value in figures.items()}


def train(
    name: str,
    recipe: Recipe,
    work: Path,
    save_every: int = 100,
    workers: int = 0,
    finish: bool = False,
    device: str = "cpu",
) -> Training:
    """Train a built-in model, or go on where the last call stopped; progress is kept in `work`."""
    with repeatable(device):
        training = Training(name, recipe, work, present(device))
        if finish:
            training.progress.finish()
        training.run(save_every, workers)
    return training


@contextmanager
def repeatable(device: str) -> Iterator[None]:
    """One thread of each lane's own, and on a GPU products that sum in the same order every time."""
    threads, exact = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    if device != "cpu":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it, before its first product
        torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(exact)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m multiflow_core.pretrain", description="Train a built-in checkpoint."
    )
    parser.add_argument("name", choices=[model.name for model in BUILT_INS.all()])
    parser.add_argument("--work", type=Path, required=True, help="folder for the state that makes training resumable")
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished checkpoint")
    parser.add_argument("--workers", type=int, default=1, help="processes that make batches ahead")
    parser.add_argument(
        "--finish", action="store_true", help="end the joint stage where the saved state is, and fade out"
    )
    parser.add_argument("--device", choices=("cpu", "cuda", "mps"), default="cpu", help="where it is trained")
    for name, value in asdict(Recipe()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), help="default: the model's own recipe")
    options = vars(parser.parse_args())
    given = {name: options[name] for name in asdict(Recipe()) if options[name] is not None}
    chosen = BUILT_INS.get(options["name"])
    recipe = replace(chosen.recipe, **given)
    how = {name: options[name] for name in ("workers", "finish", "device")}
    try:
        present(options["device"])
    except ValueError as error:
        parser.error(str(error))
    done = train(chosen.name, recipe, options["work"], **how)
    with whole(options["out"]) as place:
        chosen.save(done.net.finished(), place)
        facts = {**asdict(done.progress.recipe), "device": options["device"]}
        (place / "training.json").write_text(json.dumps(facts, indent=1))
        shutil.copy(done.log, place / "log.jsonl")

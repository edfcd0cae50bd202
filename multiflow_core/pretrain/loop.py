"""The training loop, and the command that runs it."""

from __future__ import annotations

import argparse
import json
import shutil
import time
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import nn

from ..support.atomic import whole, write_text
from .batches import make_batch
from .built_in import BUILT_INS
from .objectives import Objectives
from .recipe import Recipe


def train(name: str, recipe: Recipe, work: Path, save_every: int = 200) -> nn.Module:
    """Train a built-in model, or go on where the last call stopped; progress is kept in `work`."""
    work.mkdir(parents=True, exist_ok=True)
    state_file, log_file = work / "state.pt", work / "log.jsonl"
    torch.manual_seed(recipe.seed)
    net = BUILT_INS.get(name).new()
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}],
        lr=recipe.learning_rate,
        betas=(0.9, 0.98),
        fused=True,
    )
    start, spent, lines = 0, 0.0, []
    if state_file.exists():
        state = torch.load(state_file, weights_only=True)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        start, spent, lines = state["step"], state["spent"], state["lines"]
    began = time.monotonic() - spent
    for step in range(start, recipe.steps):
        figures = train_step(net, optimizer, recipe, step)
        if step % 20 == 19:
            line = {"step": step + 1, "seconds": round(time.monotonic() - began), **figures}
            lines.append(json.dumps({k: round(v, 4) for k, v in line.items()}))
        if (step + 1) % save_every == 0 or step + 1 == recipe.steps:
            state = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1, "lines": lines}
            with whole(state_file) as place:
                torch.save(state | {"spent": time.monotonic() - began}, place)
            write_text(log_file, "".join(f"{line}\n" for line in lines))
    return net.finished()


def train_step(net: Objectives, optimizer: torch.optim.Optimizer, recipe: Recipe, step: int) -> dict[str, float]:
    torch.manual_seed(hash((recipe.seed, step)))  # the negatives of ITM are drawn; tuples of ints hash alike everywhere
    for group in optimizer.param_groups:
        group["lr"] = recipe.rate(step)
    batch = make_batch(recipe, step)
    loss, figures = net(
        batch, speaks=step >= int(recipe.looking * recipe.steps), matches=step >= int(recipe.matching * recipe.steps)
    )
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    return {"loss": loss.item(), **figures}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m multiflow_core.pretrain", description="Train a built-in checkpoint."
    )
    parser.add_argument("name", choices=[model.name for model in BUILT_INS.all()])
    parser.add_argument("--work", type=Path, required=True, help="folder for the state that makes training resumable")
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished checkpoint")
    for field, value in asdict(Recipe()).items():
        parser.add_argument(f"--{field.replace('_', '-')}", type=type(value), help="default: the model's own recipe")
    options = vars(parser.parse_args())
    given = {field: options[field] for field in asdict(Recipe()) if options[field] is not None}
    chosen = BUILT_INS.get(options["name"])
    recipe = replace(chosen.recipe, **given)
    model = train(chosen.name, recipe, options["work"])
    with whole(options["out"]) as place:
        chosen.save(model, place)
        (place / "training.json").write_text(json.dumps(asdict(recipe), indent=1))
        shutil.copy(options["work"] / "log.jsonl", place / "log.jsonl")

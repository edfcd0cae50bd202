"""The model card of a built-in checkpoint, written from its training log and from figures measured on the spot."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..experiments.benchmark import full_exam, measure
from ..models.vlm import ASSETS, CARD, VLM
from ..pruning.rank import rank
from ..tasks.task import tasks
from ..weights.dense import matrix_of
from . import bars
from .built_in import BUILT_INS
from .recipe import Recipe

CURVE_POINTS = 15
SPLITS = {"test": "test", "heldout": "new pairs"}
AT = (0.63, 0.75, 0.90)  # sparsities of the paper
PLACES = {
    "cpu": "two processor cores shared with other work",
    "cuda": "one GPU (the same command gives the same bytes there, others on a processor)",
}
ALONE = " alone"  # of a form of typed queries: by embeddings alone
FORMS = {"thing": "one thing", "two": "two things", "relation": "a relation", "count": "a number", "none": "nothing of"}
COLUMNS = {  # figure of the log -> heading of the card
    "look": "patch loss",
    "seen": "kinds seen",
    "itc": "ITC loss",
    "hits": "in-batch hits",
    "typed": "short-text loss",
    "first": "short-text hits",
    "lm": "caption loss",
    "mlm": "masked-word loss",
    "vqa": "VQA loss",
    "answers": "VQA hits",
    "short": "ITM loss, short",
    "short hits": "ITM hits, short",
    "captions": "ITM loss",
    "captions hits": "ITM hits",
}

TRIED = """## What was tried for the recipe

Figures are those of `flatland-blip` on validation scenes, or of training batches, in trials of the same recipe.

* *One bit a text* (true, or false by one fact) taught matching little: right in .58 of short texts, .64 after 400 steps more.
  That every word says whether it is the wrong one (as in ELECTRA, with the picture read) brought it to .85 and beyond.
* *Relations* stayed near chance for all of that: of questions about them .63 were right after 1,800 joint steps. With words that
  say where their things are (X-VLM's boxes as precedent) it was .93 after 1,000 joint steps and 1.00 after 1,400.
* A learning rate of 1e-3 once both sides learn together was too high; 4e-4 was not.
* Dropped: guessing masked words from the picture beside all that (no gain in 80 steps), and sharing all but self-attention
  between text encoder and decoder, as BLIP's authors do (after 80 steps from the same weights .60 of
  short texts right, against .70).
* The precision is measured at the start: bfloat16 products are several times faster on some processors and slower on others.
"""


def write_card(vlm: VLM, log: Path) -> str:
    """Measure the dense model on 1,000 unseen scenes, and on 1,000 with held-out pairs, and write card and figures.

    Writes `card.json` and `README.md` into the model's folder under assets; returns the text of the latter.
    """
    folder = ASSETS / vlm.name
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    card: dict[str, Any] = {
        "trained_on": "flatland",
        "recipe": (used := json.loads((folder / "training.json").read_text())),
        "parameters": sum(p.numel() for p in vlm.model.parameters()),
        "prunable": sum(layer.size for layer in vlm.layers),
        "training": training_text(vlm.name, recipe_of(used), lines[-1]["seconds"], used.get("device", "cpu")),
        "weights": weights(vlm),
        "log": thinned([line for line in lines if "look" in line or "mlm" in line]),
        "test": measure(vlm, full_exam("test")),
        "heldout": measure(vlm, full_exam("heldout")),
    }
    (folder / CARD).write_text(json.dumps(card, indent=1))
    text = card_text(vlm.name, card)
    (folder / "README.md").write_text(text)
    return text


def weights(vlm: VLM) -> dict[str, Any]:
    """How the modalities' weights are spread, and what magnitude leaves of each: globally, and under the multimodal prior."""
    found: dict[str, list[Tensor]] = {}
    for layer in vlm.layers:
        found.setdefault(layer.modality, []).append(matrix_of(vlm.model, layer).flatten().float())
    kept = {}
    for allocation in ("global", "multimodal"):
        order = rank(vlm.model, criterion="magnitude", allocation=allocation, layers=vlm.layers)
        pruned = [order.modality_sparsity(sparsity) for sparsity in AT]
        kept[allocation] = {modality: [round(1 - one[modality], 4) for one in pruned] for modality in found}
    return {"spread": {name: round(torch.cat(parts).std().item(), 5) for name, parts in found.items()}, "kept": kept}


def thinned(log: list[dict[str, float]]) -> list[dict[str, float]]:
    """At most `CURVE_POINTS` lines of the log: each the mean of a stretch, at the step where the stretch ends.

    >>> thinned([{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}])
    [{'step': 1, 'loss': 2.0}, {'step': 2, 'loss': 1.0}]
    """
    width = -(-len(log) // CURVE_POINTS)
    rows = []
    for start in range(0, len(log), width):
        part = log[start : start + width]
        shared = set.intersection(*(set(line) for line in part))
        means = {key: round(sum(line[key] for line in part) / len(part), 3) for key in part[0] if key in shared}
        rows.append(means | {key: part[-1][key] for key in ("step", "seconds") if key in shared})
    return rows


def card_text(name: str, card: dict[str, Any]) -> str:
    """The card as Markdown."""
    about = BUILT_INS.get(name)
    command = f"python -m multiflow_core.pretrain {name} --work /tmp/{name} --out assets/{name}"
    command += given(name, card["recipe"])
    reached = f"What it was to reach on them:\n\n{bars.table(name, card['test'])}\n\n"
    types = f"VQA by question type:\n\n{types_table(card)}\n\n" if "vqa" in card["test"] else ""
    queries = (
        f"First picture true, by the form of the typed query:\n\n{queries_table(card)}\n\n"
        if "queries" in card["test"]
        else ""
    )
    return f"""# {name}

{about.architecture}, trained from nothing on Flatland, the procedural world of this repository: {card["parameters"]:,} parameters,
{card["prunable"]:,} of them prunable. {about.parts} Pictures are read at 96 x 96 pixels, texts with a vocabulary of whole words.

It knows Flatland and nothing else: photographs are read as a world of stickers.

## Figures

Dense model, on scenes whose descriptions occur in no training scene and are pairwise different (1,000 each). "New pairs" are
scenes with a colour-kind pair that training never showed. Retrieval is from the embeddings alone.

{figures_table(card)}

{reached}{types}{queries}Made by `python -m multiflow_core card {name} --log assets/{name}/log.jsonl`.

## Training

    {command}

{card["training"]}

{curve_table(card)}

## Weights

{weights_text(card["weights"])}

{TRIED}
Licence: MIT, like the code; the pictures are drawn by this project.
"""


def recipe_of(used: dict[str, Any]) -> Recipe:
    """The recipe in what training wrote down, which also says where."""
    return Recipe(**{field.name: used[field.name] for field in fields(Recipe)})


def training_text(name: str, recipe: Recipe, seconds: float, device: str) -> str:
    """How a model was trained, in sentences.

    >>> training_text("flatland-xvlm", Recipe(looking=100, wording=50, joint=200, fading=50, batch=10), 7200, "cpu").split(",")[1]
    ' 400 steps of 10 scenes (4'
    """
    about, together, minutes = BUILT_INS.get(name), recipe.joint + recipe.fading, round(seconds / 60)
    scenes, where = recipe.steps * recipe.batch, PLACES.get(device, device)
    return f"""Seed {recipe.seed}, {recipe.steps:,} steps of {recipe.batch} scenes ({scenes:,} scenes, none twice), {minutes}
minutes on {where}.

1. *Pictures alone*, {recipe.looking:,} steps: the vision encoder, begun like MAE's ViT (uniform by Glorot's rule) with weight
   decay {recipe.vision_decay:g}, learns through linear heads that are thrown away afterwards: what kind, colour and size is at
   each patch, where its centre is, how many look like it; and of the whole picture its setting, how many things it shows, and
   which.
2. *Sentences alone*, {recipe.wording:,} steps: the text parts, begun like BERT (normal, 0.02) with weight decay
   {recipe.text_decay:g}, learn {about.sentences}.
3. *Together*, {together:,} steps: {about.losses}. Texts are of every length, from one word to
   a full caption; each has a double that is false by one fact, and of every word the matching encoder says whether it is the
   wrong one. Half-way through the layers every noun says where its thing is, and at the end every relation how far the two
   are apart, whatever the text is read for. All of this through linear heads that are thrown away. What is true of
   which picture of a batch is known for all of them: the target is that matrix.

AdamW, learning rate {recipe.learning_rate:g} apart and {recipe.joint_rate:g} together, level, then falling to zero over
{recipe.fading:,} steps; products in {recipe.precision}; saved in float16."""


def given(name: str, used: dict[str, Any]) -> str:
    """The options by which training is repeated: what its recipe measured or decided on the way."""
    own = asdict(BUILT_INS.get(name).recipe) | {"device": "cpu"}
    return "".join(f" --{key.replace('_', '-')} {value}" for key, value in used.items() if own.get(key) != value)


def weights_text(found: dict[str, Any]) -> str:
    """How the modalities' weights differ, and what that means for pruning them by magnitude."""
    kept, ways = found["kept"], {"global": "one threshold", "multimodal": "the multimodal prior"}
    columns = ["standard deviation", *(f"kept at {s:.0%}, {way}" for way in ways.values() for s in AT)]
    rows = {
        modality: [spread, *(share for way in ways for share in kept[way][modality])]
        for modality, spread in found["spread"].items()
    }
    return "Of the prunable matrices, and what pruning by magnitude leaves of them:\n\n" + _table(columns, rows)


def figures_table(card: dict[str, Any]) -> str:
    """Test and held-out figures of the tasks that the model can do."""
    lines = ["| | test | new pairs |", "|---|---|---|"]
    for task in tasks():
        test, heldout = (card[split].get(task.name, {}) for split in ("test", "heldout"))
        carded = {figure: title for figure, title in task.carded.items() if figure in test}
        lines += [f"| {title} | {test[figure]:.3f} | {heldout[figure]:.3f} |" for figure, title in carded.items()]
    return "\n".join(lines)


def types_table(card: dict[str, Any]) -> str:
    """VQA by the type of the question."""
    types = [kind for kind in card["test"]["vqa"] if kind != "all"]
    rows = {title: card[split]["vqa"] for split, title in SPLITS.items()}
    return _table(types, {title: [figures.get(kind) for kind in types] for title, figures in rows.items()})


def queries_table(card: dict[str, Any]) -> str:
    """Typed queries by their form: re-ranked, and from embeddings alone."""
    forms = [name.removesuffix(ALONE) for name in card["test"]["queries"] if name.endswith(ALONE)]
    rows = {}
    for split, title in SPLITS.items():
        found = card[split]["queries"]
        rows[f"{title}, re-ranked"] = [*(found.get(form) for form in forms), found["precision"]]
        rows[f"{title}, embeddings alone"] = [*(found.get(form + ALONE) for form in forms), None]
    return _table([*(FORMS.get(form, form) for form in forms), "R-precision of things"], rows)


def _table(columns: list[str], rows: dict[str, list[float | None]]) -> str:
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for title, values in rows.items():
        lines.append(f"| {title} | " + " | ".join("-" if value is None else f"{value:.3f}" for value in values) + " |")
    return "\n".join(lines)


def curve_table(card: dict[str, Any]) -> str:
    """The training curves as a table, means over stretches of the log."""
    logged = {key: title for key, title in COLUMNS.items() if any(key in row for row in card["log"])}
    lines = ["| step | " + " | ".join(logged.values()) + " |", "|---|" + "---|" * len(logged)]
    for row in card["log"]:
        cells = (f"{row[key]:.2f}" if key in row else "" for key in logged)
        lines.append(f"| {row['step']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)

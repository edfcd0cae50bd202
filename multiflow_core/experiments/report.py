"""A report of a run: one page of HTML that needs no network, no script and no other file; it prints, in light and dark."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from PIL.Image import Image

from ..data import dataset
from ..data.dataset import DEFAULT
from ..models.vlm import VLM
from ..pruning.method import METHODS
from ..pruning.order import Order
from ..support.atomic import whole
from ..support.threads import Progress
from ..tasks.task import TASKS
from ..weights.masks import Masks
from . import drawings
from .manifest import Manifest
from .results import Results

SIDE = 240  # pixels of a picture at most
PICTURES = 6
STYLE = """
:root { color-scheme: light dark; --ink: #1c2530; --soft: #5d6876; --paper: #fff; --rule: #dfe4ea; --own: #0b7a75; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaef; --soft: #9aa6b4; --paper: #11161c; --rule: #2b343f; --own: #4cc3bb; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 46rem;
  margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; } h2 { font-size: 1.2rem; margin: 2.4rem 0 .5rem; }
p.soft, figcaption, td.soft { color: var(--soft); } svg { width: 100%; height: auto; font-size: 13px; }
svg text { fill: currentColor; } .own { fill: var(--own); } .line, .others { fill: none; stroke: var(--own); stroke-width: 2.5; }
.others { stroke: var(--soft); stroke-width: 1; opacity: .5; } .target, .dense { stroke: currentColor; stroke-dasharray: 2 3; }
.dense { stroke: var(--soft); stroke-dasharray: 6 4; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { text-align: left; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
td { overflow-wrap: anywhere; } .wide { overflow-x: auto; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--rule); border-radius: 6px; padding: .7rem .9rem;
  font-size: .85rem; }
figure { display: flex; gap: 1rem; margin: 0 0 1rem; break-inside: avoid; } figure img { width: 120px; height: 120px;
  object-fit: cover; border-radius: 6px; } figure dl { margin: 0; } dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0 0 .35rem; } .false { color: #b3261e; } @media (prefers-color-scheme: dark) { .false { color: #ff8a80; } }
@media print { :root { --ink: #000; --paper: #fff; --soft: #444; --rule: #bbb; --own: #0b7a75; color-scheme: light; }
  body { margin: 0; max-width: none; } h2 { break-after: avoid; } svg, tr { break-inside: avoid; } }
"""


def write(
    path: str | os.PathLike,
    vlm: VLM,
    order: Order,
    masks: Masks,
    manifest: Manifest,
    results: Results | None = None,
    progress: Progress | None = None,
    pictures: int = PICTURES,
) -> Path:
    """Write the report of a run, whole or not at all.

    >>> import tempfile
    >>> import multiflow_core as mf
    >>> from multiflow_core.experiments.run import Run
    >>> vlm = mf.load("flatland-xvlm")
    >>> order = mf.rank(vlm.model, "omp")
    >>> manifest = Manifest.of(vlm, Run("flatland-xvlm", "omp", 0.5), order.masks(0.5))
    >>> path = write(Path(tempfile.mkdtemp()) / "a.html", vlm, order, order.masks(0.5), manifest, pictures=0)
    >>> "50 %" in path.read_text(encoding="utf-8")
    True

    Args:
        results: what was measured of the model, where something was.
        pictures: how many of the test split both models are asked about.
    """
    report = progress or (lambda fraction, message: None)
    with whole(path) as place, place.open("w", encoding="utf-8") as file:
        for part in _parts(vlm, order, masks, manifest, results, report, pictures):
            file.write(part)
    return Path(path)


def _parts(
    vlm: VLM, order: Order, masks: Masks, manifest: Manifest, results: Results | None, report: Progress, pictures: int
) -> Iterator[str]:
    run, method = manifest.run, METHODS.get(manifest.run.method)
    share = drawings.percent(masks.sparsity)
    title = f"{vlm.name}, {share} pruned by {method.title}"
    yield f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{STYLE}</style></head><body>\n<h1>{escape(title)}</h1>"
    yield f'<p class="soft">{masks.pruned:,} of {masks.total:,} prunable weights are zero, once and without any training '
    yield "afterwards. The matrices keep their shape: a smaller file, not a faster model.</p>\n"
    yield f"<h2>What was done, and why</h2><p>{escape(method.idea)}</p><pre>{escape(method.formula)}</pre>"
    yield f'<p class="soft">{escape(method.paper)}</p>\n'
    shares = order.modality_sparsity(run.sparsity)
    most = max(shares, key=shares.get)
    said = "Every modality gives about the same share"
    if shares[most] - min(shares.values()) > 0.02:
        said = f"{most.capitalize()} gives most: {drawings.percent(shares[most])}"
    yield f"<h2>{escape(said)}</h2>{drawings.bars(shares, run.sparsity)}\n"
    yield '<p class="soft">The share of each modality that is pruned; dotted: what was asked for.</p>\n'
    report(0.1, "drawing the layers")
    yield from _layers(order, masks)
    if results:
        yield from _measured(results, run.name, run.sparsity)
    report(0.2, "asking both models")
    if pictures and not vlm.unreadable:
        yield from _examples(vlm, vlm.prune(masks, order.weights(run.sparsity)), run.data or DEFAULT, pictures, report)
    yield "<h2>To make it again</h2>"
    yield f"<pre>{escape(manifest.command())}</pre><pre>{escape(manifest.python())}</pre>\n"
    yield "<h2>Manifest</h2>" + _table(("", ""), _flat(manifest.held))
    yield "</body></html>\n"
    report(1.0, "written")


def _layers(order: Order, masks: Masks) -> Iterator[str]:
    """A grid for every modality, and all layers as a table."""
    sparsity = masks.layer_sparsity()
    yield "<h2>Where it was cut</h2>"
    for modality in dict.fromkeys(layer.modality for layer in order.layers):
        inside = [layer for layer in order.layers if layer.modality == modality]
        cells = {(layer.role, layer.block): sparsity[layer.name] for layer in inside}
        yield f"<p>{escape(modality.capitalize())}, block by block, in per cent</p>{drawings.grid(cells)}\n"
    rows = (
        (layer.title, " × ".join(map(str, layer.shape)), drawings.percent(sparsity[layer.name]))
        for layer in order.layers
    )
    yield f"<details><summary>All {len(order.layers)} layers as a table</summary>"
    yield _table(("layer", "shape", "pruned"), rows) + "</details>\n"


def _measured(results: Results, name: str, sparsity: float) -> Iterator[str]:
    """What was measured of the run, or next to it, beside the dense model; and how that goes over sparsity."""
    at = results.nearest(name, sparsity)
    tasks = [task for task in results.dense if results.dense_figure(task) is not None]
    if at is None or name not in results.names or not tasks:
        yield '<h2>What it keeps</h2><p class="soft">This was not measured.</p>\n'
        return
    yield f"<h2>What it keeps, measured at {drawings.percent(at)}</h2>"
    rows = []
    for task in tasks:
        figure, dense = results.figure(name, task, at), results.dense_figure(task)
        if figure is not None:
            sure = results.interval(name, task, at)
            between = f"{sure[0]:.3f} to {sure[1]:.3f}" if sure else "–"
            rows.append((TASKS.get(task).title, results.unit(task), f"{dense:.3f}", f"{figure:.3f}", between))
    yield _table(("task", "figure", "dense", "pruned", "95 % interval"), rows)
    yield f'<p class="soft">On {results.head.get("scenes", 0):,} pictures of {escape(str(results.head.get("data", DEFAULT)))}, '
    yield f"{escape(str(results.head.get('split', 'test')))} split.</p>\n"
    for task in tasks:
        curves = {known: curve for known in results.methods if (curve := results.curve(known, task))}
        curves |= {name: results.curve(name, task)}
        told = f"{TASKS.get(task).title}: {results.unit(task)}, over the share pruned; grey: the other methods"
        dense = results.dense_figure(task)
        yield f"<p>{escape(told)}</p>{drawings.lines(curves, name, sparsity, dense, told)}\n"


def _examples(dense: VLM, pruned: VLM, data: str, count: int, report: Progress) -> Iterator[str]:
    """Pictures of the test split, with what each model says of them and answers."""
    exam = dataset.open(data).exam("test", count, count, count)
    seen, said, verdicts = exam.pictures(dense.side), {}, {}
    if "captioning" in dense.tasks:
        for n, (which, vlm) in enumerate((("dense", dense), ("pruned", pruned))):
            said[which] = [caption.text for caption in vlm.caption(seen)]
            verdicts[which] = exam.data.judge(said[which], exam.items)
            report(0.3 + 0.3 * n, "asking both models")
    asked = dict(reversed(exam.asked)) if "vqa" in dense.tasks else {}
    pairs = list(asked.items())
    texts = [question.text for _, question in pairs]
    answers = {
        which: dict(zip(asked, vlm.answer([seen[i] for i in asked], texts))) if asked else {}
        for which, vlm in (("dense", dense), ("pruned", pruned))
    }
    found = _found(dense, pruned, exam, seen) if "retrieval" in dense.tasks and exam.texts and len(seen) > 1 else {}
    if not (said or asked or found):
        return
    yield f"<h2>Examples: the first {len(seen)} pictures of the test split</h2>"
    for i in range(len(seen)):
        rows = []
        for which in ("dense", "pruned"):
            if said:
                true = verdicts[which] is None or verdicts[which][i].true
                rows.append((f"{which} says", said[which][i], true))
        if i in asked:
            for which in ("dense", "pruned"):
                answer = answers[which][i].text
                label = f"{asked[i].text}? {which} answers".replace("??", "?")
                rows.append((label, answer, answer == asked[i].answer))
        for which, (text, right) in found.get(i, {}).items():
            rows.append((f"{which} finds as its text", text, right))
        told = "".join(
            f"<dt>{escape(label)}</dt><dd{'' if true else ' class=false'}>{escape(text or '–')}</dd>"
            for label, text, true in rows
        )
        yield f'<figure><img alt="picture {i + 1} of the test split" src="{_inline(seen[i])}"><dl>{told}</dl></figure>\n'
    yield '<p class="soft">Red: false, where the truth is known. Texts are found among those of these pictures.</p>\n'


def _found(dense: VLM, pruned: VLM, exam: Any, seen: Sequence[Image]) -> dict[int, dict[str, tuple[str, bool]]]:
    """The text that each model puts first for every picture, and whether it is one of that picture's."""
    found: dict[int, dict[str, tuple[str, bool]]] = {}
    owners = exam.owners()
    for which, vlm in (("dense", dense), ("pruned", pruned)):
        best = (vlm.embed_images(seen) @ vlm.embed_texts(exam.texts).T).argmax(1).tolist()
        for i, text in enumerate(best):
            found.setdefault(i, {})[which] = (exam.texts[text], owners[text] == i)
    return found


def _inline(picture: Image) -> str:
    """A picture as part of the page."""
    small, held = picture.convert("RGB"), io.BytesIO()
    small.thumbnail((SIDE, SIDE))
    small.save(held, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(held.getvalue()).decode()


def _flat(held: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in held.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        elif name not in ("command", "python"):
            yield f"{before}{name}", "–" if value in (None, "") else str(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    heads = "".join(f"<th>{escape(name)}</th>" for name in head) if any(head) else ""
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table>{f"<tr>{heads}</tr>" if heads else ""}{body}</table></div>'

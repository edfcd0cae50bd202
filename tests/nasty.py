"""Texts that are not ours and mean harm: what Markdown, HTML or a formula could make of them, and a model full of them."""

import json
from pathlib import Path

from benchmarks.models import save
from multiflow_core.tasks.task import TASKS

NASTY = (
    "![x](http://evil.example/x.png)",
    "[a](javascript:alert(1))",
    "<img src=http://evil.example/x>",
    "$x^2$ and $$y$$",
    ":red[x] :material/home: :+1:",
)
ALL = " ".join(NASTY)


def nasty_model(place: Path) -> Path:
    """A tiny model with nasty texts as its name and all over its results."""
    made = save("clip-b32", place / ALL.replace("/", ""), small=True)
    scores, better = ({"retrieval": {TASKS.get("retrieval").figure: value}} for value in (0.5, 0.9))
    shares = {"modalities": {ALL: 0.9, "vision": 0.1}}
    entry = {"method": ALL, "sparsity": 0.63, "seed": 0, "scores": scores} | shares
    more = {"method": "omp"}, {"method": "multiflow", "scores": better}, {"criterion": ALL, "allocation": ALL}
    costs = [
        {"method": m, "sparsity": 0.63, "seconds": s, "memory": None, "threads": 1} for m, s in (("omp", 1), (ALL, 2))
    ]
    held = {
        "model": ALL,
        "dense": better,
        "runs": [entry, *(entry | other for other in more)],
        "costs": costs,
        "overlap": [{"sparsity": 0.63, "methods": ["omp", ALL], "iou": [[1, 0.5], [0.5, 1]]}],
    }
    (made / "results.json").write_text(json.dumps(held))
    return made

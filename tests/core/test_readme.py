"""What the README says in Python works as it stands there."""

import re
from pathlib import Path

from multiflow_core.data import dataset

ROOT = Path(__file__).parents[2]


def test_the_lines_of_the_readme(vlm):
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    known = {"batches": list(vlm.batches(dataset.open().pairs(4, 0, vlm.side)))}
    exec(block, known)
    assert known["masks"].pruned == int(0.63 * sum(layer.size for layer in known["layers"]))
    assert known["pruned"].model is not known["vlm"].model and known["stats"].samples == 4

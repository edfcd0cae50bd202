"""Which types open from a folder, with the processor that they are published with, and find or answer.

python -m benchmarks.zoo.folders                 # all of them; a minute
python -m benchmarks.zoo.folders llava qwen2_vl
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

import multiflow_core as mf
from multiflow_core.models.vlm import VLM, Answer

from .. import models
from . import published

SPECIAL = tuple(name for name in models.MODELS if name not in ("blip-base-224", "clip-b16"))  # each type once
KNOWN = (*SPECIAL, *published.KINDS)
QUESTIONS = ("is there a boat", "what is to the left of the big red house at night", "how many")
_CLOSE = 1e-3  # of a probability, relative


@dataclass
class Opened:
    """What a folder turned out to be.

    Attributes:
        kind: the class. family: which one took it. tasks: what it can be asked.
        alone: whether what it finds and says is the same one by one.
        pruned: whether it does its tasks when 63 % of its weights are gone.
        trouble: why not, "" where nothing is wrong.
    """

    name: str
    kind: str = ""
    family: str = ""
    tasks: tuple[str, ...] = ()
    alone: bool = False
    pruned: bool = False
    trouble: str = ""

    @property
    def works(self) -> bool:
        """Whether it does what it can be asked, whatever else is asked."""
        return bool(self.tasks) and self.alone and self.pruned


def opened(name: str, place: Path) -> Opened:
    """A type, written as a folder and opened again.

    >>> found = opened("llava", Path(tempfile.mkdtemp()))
    >>> found.kind, found.family, found.tasks, found.works
    ('LlavaForConditionalGeneration', 'generative', ('captioning', 'vqa'), True)
    """
    found = Opened(name)
    try:
        folder = place / name
        models.save(name, folder, small=True) if name in SPECIAL else published.save(name, folder)
        vlm = mf.load(folder)
        found.kind, found.family, found.tasks = type(vlm.model).__name__, vlm.family.name, vlm.tasks
        if vlm.unreadable:
            raise ValueError(vlm.unreadable)
        found.alone = _same_alone(vlm)
        statistics = mf.calibrate(vlm.model, vlm.batches(models.pictures(4), 2))
        masks = mf.rank(vlm.model, "multiflow", statistics=statistics).masks(0.63)
        found.pruned = _same_alone(vlm.prune(masks))
    except Exception as error:  # whatever a type has in store is a finding
        found.trouble = " ".join(str(error).split()).replace(str(place), "...")
    return found


def _same_alone(vlm: VLM) -> bool:
    """Whether every task gives the same for three pictures of different shapes together and one by one."""
    images = [image for image, _ in models.pictures(3)]
    images = [images[0], images[1].resize((90, 40)), images[2].resize((40, 90))]
    same = []
    if "retrieval" in vlm.tasks:
        together = vlm.embed_images(images), vlm.embed_texts(QUESTIONS)
        alone = [vlm.embed_images([image]) for image in images], [vlm.embed_texts([text]) for text in QUESTIONS]
        same += [torch.allclose(a, torch.cat(b), atol=1e-5) for a, b in zip(together, alone)]
    if "captioning" in vlm.tasks:
        said, alone = vlm.caption(images, 4), [vlm.caption([image], 4)[0] for image in images]
        same += [a.words == b.words and _near(a.probabilities, b.probabilities) for a, b in zip(said, alone)]
    if "vqa" in vlm.tasks:
        said = vlm.answer(images, QUESTIONS)
        same += [_alike(a, vlm.answer([i], [q])[0]) for a, i, q in zip(said, images, QUESTIONS)]
    return all(same)


def _alike(a: Answer, b: Answer) -> bool:
    return a.text == b.text and _near([a.probability], [b.probability])


def _near(a: Iterable[float], b: Iterable[float]) -> bool:
    return torch.allclose(torch.tensor(list(a)), torch.tensor(list(b)), rtol=_CLOSE)


def row(found: Opened) -> str:
    """One line of the table.

    >>> row(Opened("clip-b32", "CLIPModel", "clip", ("retrieval",), alone=True, pruned=True))
    'clip-b32                  CLIPModel                                     clip        retrieval               yes   yes   '
    """
    alone, pruned = ("yes" if held else "no" for held in (found.alone, found.pruned))
    tasks = ", ".join(found.tasks) or "none"
    which = f"{found.name:<25} {found.kind or 'not opened':<45} {found.family:<11}"
    return f"{which} {tasks:<23} {alone:<5} {pruned:<5} {found.trouble}"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks.zoo.folders", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("types", nargs="*", metavar="TYPE", help="default: all")
    chosen = parser.parse_args().types or KNOWN
    if unknown := [name for name in chosen if name not in KNOWN]:
        sys.exit(f"not known: {', '.join(unknown)}")
    print(f"{'type':<25} {'class':<45} {'family':<11} {'tasks':<23} alone pruned")
    results = []
    with tempfile.TemporaryDirectory() as place:
        for name in chosen:
            results.append(opened(name, Path(place)))
            print(row(results[-1]), flush=True)
    print(
        f"{sum(found.works for found in results)} of {len(results)} find or answer, whatever else they are asked, dense and pruned"
    )


if __name__ == "__main__":
    main()

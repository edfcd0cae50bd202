"""Validation while a model is in training: its tasks, and typed queries, on scenes that are neither trained on nor reported."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from ..data import flatland
from ..data.flatland import Flatland
from ..experiments.benchmark import measure
from ..families import family_of
from ..models.vlm import VLM
from .batches import SHORT_LENGTH, encode, pixels
from .objectives import Objectives
from .reading import IMAGE_SIZE, flatland_processor

SCENES, ASKED, QUERIES, RERANKED = 300, 60, 40, 16
COUNTED = ("IR@1", "TR@1", "true")  # besides typed queries and all types of questions


def check(net: Objectives) -> dict[str, float]:
    """The figures, and the mean of those that count."""
    net.eval()
    vlm = VLM("in training", net.model, flatland_processor(), family_of(net.model))
    exam = Flatland().exam("val", SCENES, ASKED, ASKED)
    figures = {}
    for task, scores in measure(vlm, exam).items():
        kept = {name: value for name, value in scores.items() if task == "vqa" or name in COUNTED}
        figures |= {f"vqa {name}" if task == "vqa" else name: value for name, value in kept.items() if name != "all"}
    typed = type_queries(net)
    net.train()
    means = [*figures.values(), *(value for name, value in typed.items() if "alone" not in name)]
    return {"mean": sum(means) / len(means)} | figures | typed


@torch.inference_mode()
def type_queries(net: Objectives) -> dict[str, float]:
    """For every form, how often the first picture is true: re-ranked by the matching head, and from embeddings alone."""
    pictures, queries, true = _typed()
    image = torch.cat([net.image_states(part) for part in pictures.split(50)]).float()
    image_side = torch.nn.functional.normalize(net.model.vision_proj(image[:, 0]), dim=-1)
    figures = {}
    for form, ids in queries.items():
        near = (net.embed(ids) @ image_side.T).topk(RERANKED).indices
        sure = torch.stack([_sure(net, image[rows], text) for rows, text in zip(near, ids)])
        ranked = near.gather(1, sure.argsort(1, descending=True))
        hits = true[form].gather(1, ranked)
        figures[form] = hits[:, 0].float().mean().item()
        figures[f"{form} alone"] = true[form].gather(1, near[:, :1]).float().mean().item()
        if form == "thing":
            figures["precision"] = _precision(hits, true[form].sum(1))
    return figures


def _sure(net: Objectives, image: Tensor, text: Tensor) -> Tensor:
    logits = net.matching(image, text.expand(len(image), 1, -1))
    return logits[:, 1] - logits[:, 0]


def _precision(hits: Tensor, there: Tensor) -> float:
    """The share of true ones among as many first places as there are true pictures."""
    places = torch.arange(hits.shape[1])[None] < there[:, None]
    return ((hits & places).sum(1) / there.clamp(max=hits.shape[1])).mean().item()


@lru_cache(maxsize=1)
def _typed() -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
    """Pictures, queries and which is true of which."""
    data = Flatland()
    scenes = data.items("val", SCENES)
    shown = pixels(data.pictures(scenes, IMAGE_SIZE))
    texts = flatland.typed_queries(scenes, QUERIES)
    true = {form: torch.from_numpy(flatland.truths(queries, scenes)) for form, queries in texts.items()}
    return shown, {form: encode(queries, SHORT_LENGTH) for form, queries in texts.items()}, true

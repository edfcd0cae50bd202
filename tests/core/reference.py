"""MULTIFLOW and OMP written from DESIGN section 5 in plain loops and float64. Slow, and meant to be."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import torch
from torch import nn


class Toy(nn.Module):
    """Two towers and a fusion block with cross-attention; no family knows it."""

    def __init__(self, dim: int = 8, seed: int = 0):
        torch.manual_seed(seed)
        super().__init__()
        self.patch = nn.Linear(6, dim)
        self.vision_fc = nn.Linear(dim, dim + 3)
        self.vision_out = nn.Linear(dim + 3, dim)
        self.embedding = nn.Embedding(20, dim)
        self.query, self.key, self.value = (nn.Linear(dim, dim) for _ in range(3))
        self.text_fc = nn.Linear(dim, dim)
        self.cross_query, self.cross_key, self.cross_value = (nn.Linear(dim, dim) for _ in range(3))
        self.fusion_fc = nn.Linear(dim, 2 * dim)
        self.fusion_out = nn.Linear(2 * dim, dim)
        self.drop = nn.Dropout(0.5)

    def forward(self, pixel_values, input_ids, attention_mask=None):
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        image = self.patch(pixel_values)
        image = self.drop(self.vision_out(torch.tanh(self.vision_fc(image))))
        text = self.embedding(input_ids)
        weights = self.query(text) @ self.key(text).mT / math.sqrt(text.shape[-1])
        weights = weights.masked_fill(attention_mask[:, None] == 0, -1e9).softmax(-1)
        text = self.drop(self.text_fc(weights @ self.value(text)))
        weights = (self.cross_query(text) @ self.cross_key(image).mT).softmax(-1)
        fused = text + weights @ self.cross_value(image)
        flat = fused.reshape(-1, fused.shape[-1])  # some models flatten before their feed-forward part
        return self.fusion_out(torch.relu(self.fusion_fc(flat))).view_as(fused)


MODALITIES = {
    "patch.weight": "vision",
    "vision_fc.weight": "vision",
    "vision_out.weight": "vision",
    "query.weight": "text",
    "key.weight": "text",
    "value.weight": "text",
    "text_fc.weight": "text",
    "cross_query.weight": "text",
    "cross_key.weight": "vision",
    "cross_value.weight": "vision",
    "fusion_fc.weight": "fusion",
    "fusion_out.weight": "fusion",
}
READS_IMAGE = {name for name, modality in MODALITIES.items() if modality == "vision"}


def toy_batch(pairs: int = 3, patches: int = 5, tokens: int = 5, seed: int = 1) -> dict[str, torch.Tensor]:
    """As many patches as tokens on purpose; every text but the first is padded."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.tensor([max(1, tokens - i % tokens) for i in range(pairs)])
    return {
        "pixel_values": torch.randn(pairs, patches, 6, generator=generator),
        "input_ids": torch.randint(1, 20, (pairs, tokens), generator=generator),
        "attention_mask": (torch.arange(tokens) < lengths[:, None]).long(),
    }


def square_sums(model: nn.Module, batches: list[dict]) -> dict[str, list[float]]:
    """Sums of squared inputs, feature by feature and token by token."""
    sums: dict[str, list[float]] = {}
    modules = {f"{name}.weight": m for name, m in model.named_modules() if isinstance(m, nn.Linear)}
    model.eval()
    for batch in batches:
        mask = batch["attention_mask"].reshape(-1).tolist()

        def add(name: str, x: torch.Tensor, mask: list[int] = mask) -> None:
            rows = x.detach().double().reshape(-1, x.shape[-1]).tolist()
            total = sums.setdefault(name, [0.0] * len(rows[0]))
            for index, row in enumerate(rows):
                if name in READS_IMAGE or mask[index]:
                    for j, value in enumerate(row):
                        total[j] += value * value

        handles = [
            module.register_forward_pre_hook(lambda _, args, name=name, add=add: add(name, args[0]))
            for name, module in modules.items()
        ]
        model(**batch)
        for handle in handles:
            handle.remove()
    return sums


def flow_score(weight: list[list[float]], norms: list[float]) -> list[list[float]]:
    """S_ij = s_out(i) |w_ij| s_in(j)."""
    rows, columns = len(weight), len(weight[0])
    s_in = [sum(abs(weight[i][j]) * norms[j] for i in range(rows)) / rows for j in range(columns)]
    s_out = [sum(abs(weight[i][j]) * norms[j] for j in range(columns)) / columns for i in range(rows)]
    return [[s_out[i] * abs(weight[i][j]) * s_in[j] for j in range(columns)] for i in range(rows)]


def count(sparsity: float, total: int) -> int:
    """floor(s N) with s as a human wrote it."""
    return math.floor(Decimal(repr(sparsity)) * total)


def flat(matrix: list[list[float]]) -> list[float]:
    return [value for row in matrix for value in row]


def lowest(scores: list[float], k: int) -> set[int]:
    return set(sorted(range(len(scores)), key=lambda index: (scores[index], index))[:k])


def omp_masks(weights: dict[str, list[list[float]]], sparsity: float) -> dict[str, list[bool]]:
    """One cut through |w|."""
    slots = [(abs(w), layer, i) for layer, name in enumerate(weights) for i, w in enumerate(flat(weights[name]))]
    pruned = {(layer, i) for _, layer, i in sorted(slots)[: count(sparsity, len(slots))]}
    return {
        name: [(layer, i) not in pruned for i in range(len(flat(weight)))]
        for layer, (name, weight) in enumerate(weights.items())
    }


def prior_counts(weights: dict, modalities: dict[str, str], sparsity: float) -> dict[str, int]:
    """|w| inside each modality, modalities merged by (rank + 1/2) / size, one cut."""
    groups = list(dict.fromkeys(modalities[name] for name in weights))
    merged = []
    for g, group in enumerate(groups):
        slots = [
            (abs(w), layer, i, name)
            for layer, name in enumerate(weights)
            if modalities[name] == group
            for i, w in enumerate(flat(weights[name]))
        ]
        merged += [(Fraction(2 * r + 1, 2 * len(slots)), g, s[3]) for r, s in enumerate(sorted(slots))]
    counts = dict.fromkeys(weights, 0)
    for *_, name in sorted(merged)[: count(sparsity, len(merged))]:
        counts[name] += 1
    return counts


def multiflow_masks(weights: dict, norms: dict, modalities: dict[str, str], sparsity: float) -> dict[str, list[bool]]:
    counts = prior_counts(weights, modalities, sparsity)
    masks = {}
    for name, weight in weights.items():
        pruned = lowest(flat(flow_score(weight, norms[name])), counts[name])
        masks[name] = [i not in pruned for i in range(len(flat(weight)))]
    return masks

"""The other pruners, written from their papers in plain loops and float64. Slow, and meant to be."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from tests.core.reference import count, flat, lowest

Weights = dict[str, list[list[float]]]


def weights_of(model: nn.Module, layers) -> Weights:
    parameters = dict(model.named_parameters())
    return {layer.name: parameters[layer.name].detach().double().tolist() for layer in layers}


def l2_scores(weight: list[list[float]]) -> list[list[float]]:
    norm = math.sqrt(sum(w * w for w in flat(weight)))
    return [[abs(w) / norm for w in row] for row in weight]


def lamp_scores(weight: list[list[float]]) -> list[list[float]]:
    """w_u^2 over the sum of all w_v^2 that are not smaller: the quadratic way."""
    values = flat(weight)
    return [[u * u / math.fsum(v * v for v in values if v * v >= u * u) for u in row] for row in weight]


def global_masks(scores: Weights, k: int) -> dict[str, list[bool]]:
    """The k lowest scores of all layers go, ties by position."""
    slots = [(s, layer, i) for layer, name in enumerate(scores) for i, s in enumerate(flat(scores[name]))]
    gone = {(layer, i) for _, layer, i in sorted(slots)[:k]}
    return {name: [(layer, i) not in gone for i in range(len(flat(scores[name])))] for layer, name in enumerate(scores)}


def wanda_rows(weight: list[list[float]], norms: list[float], per_row: int) -> list[list[bool]]:
    """Every row loses its `per_row` lowest |w_ij| a_j."""
    masks = []
    for row in weight:
        gone = lowest([abs(w) * a for w, a in zip(row, norms, strict=True)], per_row)
        masks.append([j not in gone for j in range(len(row))])
    return masks


def gradients(model: nn.Module, layers, objective, batch) -> dict[str, Tensor]:
    """By backward on a deep copy in float64."""
    model = copy.deepcopy(model).double().eval()
    model.zero_grad()
    batch = {k: v.double() if v.is_floating_point() else v for k, v in batch.items()}
    objective(model, batch).backward()
    parameters = dict(model.named_parameters())
    return {layer.name: parameters[layer.name].grad for layer in layers}


def mean_gradients(model, layers, objective, batches) -> dict[str, Tensor]:
    found = [gradients(model, layers, objective, batch) for batch in batches]
    return {name: sum(g[name] for g in found) / len(found) for name in found[0]}


def snip_scores(model, layers, objective, batches) -> Weights:
    """|mean g * w|, weight by weight."""
    mean = mean_gradients(model, layers, objective, batches)
    return {
        name: [
            [abs(g * w) for g, w in zip(gs, ws, strict=True)]
            for gs, ws in zip(mean[name].tolist(), weight, strict=True)
        ]
        for name, weight in weights_of(model, layers).items()
    }


def itersnip_masks(model, layers, objective, batches, sparsity, steps, per_step) -> dict[str, list[bool]]:
    """Density kappa^(t/T); what is pruned scores below everything from then on."""
    model = copy.deepcopy(model)
    parameters = dict(model.named_parameters())
    total = sum(layer.size for layer in layers)
    kept = 1 - count(sparsity, total) / total
    masks = {layer.name: [True] * layer.size for layer in layers}
    used = 0
    for step in range(1, steps + 1):
        part = [batches[(used + i) % len(batches)] for i in range(per_step)]
        used += per_step
        scores = snip_scores(model, layers, objective, part)
        for layer in layers:
            columns = layer.shape[1]
            values = [s if m else -1.0 for s, m in zip(flat(scores[layer.name]), masks[layer.name], strict=True)]
            scores[layer.name] = [values[i : i + columns] for i in range(0, layer.size, columns)]
        k = count(sparsity, total) if step == steps else math.floor((1 - kept ** (step / steps)) * total)
        masks = global_masks(scores, k)
        with torch.no_grad():
            for layer in layers:
                parameters[layer.name].mul_(torch.tensor(masks[layer.name]).view(layer.shape))
    return masks


def chita_objective(rows: Tensor, w0: Tensor, w: Tensor, alpha: float, lam: float, block: int) -> float:
    """1/2 ||A(w-w0)||^2 + alpha (sum of g)'w + n lambda / 2 ||w-w0||^2, block by block, alpha shared out by size."""
    cost = 0.0
    for first in range(0, len(w0), block):
        part = slice(first, first + block)
        a, d = rows[:, part], w[part] - w0[part]
        cost += 0.5 * float((a @ d).square().sum()) + alpha * len(d) / len(w0) * float(a.sum(0) @ w[part])
        cost += len(rows) * lam / 2 * float(d.square().sum())
    return cost


def chita_weights(rows: Tensor, w0: Tensor, keep: Tensor, alpha: float, lam: float, block: int) -> Tensor:
    """The minimum on a support, from the normal equations of the survivors (no Woodbury)."""
    w = torch.zeros_like(w0)
    for first in range(0, len(w0), block):
        part = slice(first, first + block)
        a, kept = rows[:, part], keep[part]
        s, p = a[:, kept], a[:, ~kept]
        matrix = s.T @ s + len(rows) * lam * torch.eye(s.shape[1], dtype=torch.float64)
        share = alpha * len(kept) / len(w0)
        d = torch.linalg.solve(matrix, s.T @ (p @ w0[part][~kept]) - share * s.sum(0))
        w[part][kept] = w0[part][kept] + d
    return w


def chita_plus(model, layers, objective, batches, prunes, alpha: float, lam: float, block: int):
    """Stage by stage, gradients anew on what the last one left: magnitude, or what one step makes large; solved."""
    model = copy.deepcopy(model).double()
    parameters = dict(model.named_parameters())
    keep = None
    for prune in prunes:
        w0 = torch.cat([parameters[layer.name].detach().flatten() for layer in layers])
        rows = torch.stack(
            [torch.cat([g.flatten() for g in gradients(model, layers, objective, batch).values()]) for batch in batches]
        )
        stepped = w0.clone()
        for first in range(0, len(w0), block):
            a = rows[:, first : first + block]
            length = 1 / (float(torch.linalg.matrix_norm(a, 2)) ** 2 + len(rows) * lam)
            stepped[first : first + block] -= length * alpha * a.shape[1] / len(w0) * a.sum(0)
        found = []
        for start in (w0, stepped):
            gone = lowest(start.abs().tolist(), prune)
            keep = torch.tensor([i not in gone for i in range(len(w0))])
            w = chita_weights(rows, w0, keep, alpha, lam, block)
            found.append((chita_objective(rows, w0, w, alpha, lam, block), keep, w))
        _, keep, w = min(found, key=lambda one: one[0])
        with torch.no_grad():
            for layer, part in zip(layers, w.split([layer.size for layer in layers]), strict=True):
                parameters[layer.name].copy_(part.view(layer.shape))
    return keep, w


def tamt_mask(weight: Tensor, loss, batches, sparsity: float, steps: int, rate: float, refresh: int) -> Tensor:
    """One layer: autograd through a straight-through estimator, and Adam from its paper."""

    class Top(torch.autograd.Function):
        @staticmethod
        def forward(ctx, score, mask):
            return mask

        @staticmethod
        def backward(ctx, gradient):
            return gradient, None

    k = count(sparsity, weight.numel())

    def cut(score: Tensor) -> Tensor:
        gone = lowest(score.flatten().tolist(), k)
        return torch.tensor([float(i not in gone) for i in range(score.numel())], dtype=torch.float64).view_as(score)

    mask = cut(weight.abs())
    score = mask * 0.02
    m, v = torch.zeros_like(score), torch.zeros_like(score)
    for step in range(1, steps + 1):
        leaf = score.clone().requires_grad_()
        loss(Top.apply(leaf, mask) * weight, batches[(step - 1) % len(batches)]).backward()
        g = leaf.grad * min(1.0, 1.0 / (float(leaf.grad.norm()) + 1e-6))
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        score = score - rate * (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)).sqrt() + 1e-8)
        if step % refresh == 0 or step == steps:
            mask = cut(score)
    return mask.bool()


def sparsegpt(weight: Tensor, x: Tensor, k: int, block: int, damping: float) -> tuple[Tensor, Tensor]:
    """Column by column with the inverse of what is left of the Hessian, inverted anew every time."""
    w = weight.double().clone()
    h = x.double().T @ x.double()
    dead = h.diagonal() == 0
    h += torch.diag(dead.double())
    h += damping * h.diagonal().mean() * torch.eye(len(h), dtype=torch.float64)
    rows, columns = w.shape
    inverses = [torch.linalg.inv(h[j:, j:]) for j in range(columns)]
    keep = torch.ones(rows, columns, dtype=torch.bool)
    gone = 0
    for first in range(0, columns, block):
        last = min(first + block, columns)
        scores = [
            [-1.0 if dead[j] else float(w[i, j] ** 2 / inverses[j][0, 0]) for j in range(first, last)]
            for i in range(rows)
        ]
        now = k * last // columns - gone
        gone += now
        for index in lowest(flat(scores), now):
            keep[index // (last - first), first + index % (last - first)] = False
        for j in range(first, last):
            for i in range(rows):
                if not keep[i, j]:
                    w[i, j:] -= w[i, j] / inverses[j][0, 0] * inverses[j][0]
                    w[i, j] = 0
    return keep, w


def damped(x: Tensor, t: Tensor, damping: float) -> tuple[Tensor, Tensor]:
    """X X^T and T X^T, rows of x and t being tokens, each with a share of the first one's mean diagonal added."""
    h, m = x.double().T @ x.double(), t.double().T @ x.double()
    extra = damping * h.diagonal().mean() * torch.eye(len(h), dtype=torch.float64)
    return h + extra, m + extra


def best_on_support(weight: Tensor, x: Tensor, t: Tensor, keep: Tensor, damping: float) -> Tensor:
    """Row by row the normal equations of what is kept."""
    h, m = damped(x, t, damping)
    wanted, new = weight.double() @ m, torch.zeros(weight.shape, dtype=torch.float64)
    for i, kept in enumerate(keep):
        if bool(kept.any()):
            new[i, kept] = torch.linalg.solve(h[kept][:, kept], wanted[i, kept])
    return new


def admm(weight: Tensor, x: Tensor, t: Tensor, count: int, steps: int, rising: int, damping: float):
    """ADMM (Boza, 2024) with a rising mask, in unscaled weights: the penalty is that of the scaled ones, diag(H)."""
    h, m = damped(x, t, damping)
    d = h.diagonal()
    z, u = weight.double().clone(), torch.zeros(weight.shape, dtype=torch.float64)
    keep = None
    for step in range(1, steps + 1):
        right = weight.double() @ m + (z - u) * d
        v = torch.linalg.solve(h + torch.diag(d), right.T).T + u
        if step <= rising:
            worth = (v.abs() * d.sqrt()).flatten().tolist()
            gone = lowest(worth, round(count * (step / rising) ** (1 / 3)))
            keep = torch.tensor([i not in gone for i in range(len(worth))]).view(weight.shape)
        z = torch.where(keep, v, 0.0)
        u = v - z
    return keep, z


def reflow(layers: list[nn.Linear], x: Tensor, counts: list[int], steps: int, rising: int, damping: float):
    """A chain of linear layers with tanh between: each on the pruned signal, towards what the dense one writes."""
    dense = pruned = x.double()
    found = []
    for layer, gone in zip(layers, counts, strict=True):
        keep, new = admm(layer.weight.detach(), pruned, dense, gone, steps, rising, damping)
        found.append((keep, new))
        dense, pruned = (torch.tanh(y @ w.T) for y, w in ((dense, layer.weight.detach().double()), (pruned, new)))
    return found


def ria_scores(weight: list[list[float]], norms: list[float]) -> list[list[float]]:
    """Relative importance to the input's weights and to the output's, times the root of the input's norm."""
    rows = [sum(map(abs, row)) for row in weight]
    columns = [sum(abs(row[j]) for row in weight) for j in range(len(norms))]
    return [
        [(abs(w) / columns[j] + abs(w) / rows[i]) * math.sqrt(norms[j]) for j, w in enumerate(row)]
        for i, row in enumerate(weight)
    ]


def owl_sparsities(weights: Weights, norms: dict[str, list[float]], blocks: dict[str, str], sparsity, beyond, spread):
    """{name: sparsity} before anything is rounded: blocks by their share of |w| a beyond so many times the block's mean."""
    ratio = {}
    for block in dict.fromkeys(blocks.values()):
        own = [
            abs(w) * a
            for name in weights
            if blocks[name] == block
            for row in weights[name]
            for w, a in zip(row, norms[name], strict=True)
        ]
        ratio[block] = sum(value > beyond * sum(own) / len(own) for value in own) / len(own)
    low, high = min(ratio.values()), max(ratio.values())
    scaled = {block: (value - low) / (high - low) * 2 * spread for block, value in ratio.items()}
    mean = sum(scaled.values()) / len(scaled)
    return {name: 1 - (1 - sparsity + scaled[blocks[name]] - mean) for name in weights}


def hill(weight: Tensor) -> float:
    """Alpha of the upper half of the spectrum of W W^T."""
    w = weight.double()
    values = sorted(torch.linalg.eigvalsh(w @ w.T if len(w) <= w.shape[1] else w.T @ w).tolist())
    k = len(values) // 2
    return 1 + k / sum(math.log(values[-i] / values[-k - 1]) for i in range(1, k + 1))


def alps(weight: Tensor, x: Tensor, count: int, steps: int, rho: float, damping: float) -> tuple[Tensor, Tensor]:
    """The update of ALPS in scaled weights, a system solved anew for every rho; then the best values on the mask."""
    h, _ = damped(x, x, damping)
    scale = h.diagonal().sqrt()
    g, w0 = h / scale / scale[:, None], weight.double() * scale

    def cut(values: Tensor) -> Tensor:
        gone = lowest(values.abs().flatten().tolist(), count)
        return torch.tensor([i not in gone for i in range(values.numel())]).view(values.shape)

    keep = before = cut(w0)
    d, v, eye = w0 * keep, torch.zeros_like(w0), torch.eye(len(g), dtype=torch.float64)
    kept = weight.numel() - count
    for step in range(1, steps + 1):
        w = torch.linalg.solve(g + rho * eye, (w0 @ g - v + rho * d).T).T
        keep = cut(w + v / rho)
        d = (w + v / rho) * keep
        v = v + rho * (w - d)
        if step % 3 == 0:
            exchanged = int((keep ^ before).sum())
            before = keep
            if exchanged == 0:
                break
            rho *= 1.3 if exchanged >= 0.1 * kept else 1.2 if exchanged >= 0.005 * kept else 1.1
    return keep, best_on_support(weight, x, x, keep, damping)


def dsnot_row(
    weight: list[float], keep: list[bool], x: list[list[float]], norms: list[float], cycles: int
) -> list[bool]:
    """One row: exchanges while they take from the expected error."""
    tokens, places = len(x), range(len(weight))
    mean = [sum(row[j] for row in x) / tokens for j in places]
    variance = [sum((row[j] - mean[j]) ** 2 for row in x) / tokens for j in places]
    keep, still = list(keep), set(places)
    for _ in range(cycles):
        error = sum(weight[j] * mean[j] for j in places if not keep[j])
        sign = 1 if error > 0 else -1
        told = [sign * weight[j] * mean[j] for j in places]
        back = [j for j in places if not keep[j] and j in still and told[j] > 0]
        gone = [j for j in places if keep[j] and j in still and told[j] < 0]
        if not back or not gone:
            break
        b = max(back, key=lambda j: told[j] / variance[j])
        g = min(gone, key=lambda j: abs(weight[j]) * norms[j])
        if abs(sign * error - told[b] + told[g]) >= abs(error):
            break
        keep[b], keep[g] = True, False
        still -= {b, g}
    return keep

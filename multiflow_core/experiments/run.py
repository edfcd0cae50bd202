"""One run: which model is pruned, how, and how far."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """One pruned model to measure."""

    method: str
    sparsity: float
    seed: int = 0
    criterion: str | None = None
    allocation: str | None = None

    @property
    def name(self) -> str:
        """For people: the method, or the criterion x allocation in its place.

        >>> Run("multiflow", 0.5, criterion="flow", allocation="global").name
        'flow x global'
        """
        return f"{self.criterion} x {self.allocation}" if self.criterion else self.method

"""Lesson: one file a step, in the order in which they are taken. Uses engine, markup, look and the core."""

from __future__ import annotations

from . import budgets, busy_inputs, busy_outputs, collapse, guess, inputs, meeting, real, score, survivors
from .step import Exercise, Formula, Step

STEPS: tuple[Step, ...] = tuple(
    module.STEP
    for module in (inputs, busy_inputs, busy_outputs, meeting, score, collapse, budgets, guess, survivors, real)
)

__all__ = ["STEPS", "Exercise", "Formula", "Step"]

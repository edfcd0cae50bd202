"""The lesson on paper: one HTML file of all steps, with nothing to fetch. Questions keep a line to write on; answers come last."""

from __future__ import annotations

import re
from html import escape

from ..look.palette import LIGHT
from ..markup import matrices
from . import STEPS, Step
from .small_layers import Lesson

_COLORS = {name: getattr(LIGHT, name) for name in ("dense", "pruned", "ink", "muted", "line", "background")}
_STYLE = (
    ":root{" + "".join(f"--mf-{name}:{color};" for name, color in _COLORS.items()) + "}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}"
    "body{font:16px/1.5 Georgia,'Times New Roman',serif;color:var(--mf-ink);max-width:820px;margin:32px auto;padding:0 20px}"
    "h1{font-size:1.9rem}h2{font-size:1.25rem;margin:2.2rem 0 .4rem;break-after:avoid}"
    "section,table,.ask,.mf-matrices,p,.formula{break-inside:avoid}"
    ".formula{font-style:italic;font-size:1.1rem;margin:.8rem 0 1rem 1.4rem}"
    ".formula small{display:block;font-style:normal;font-size:.85rem;color:var(--mf-muted)}"
    ".ask{border:1px solid var(--mf-line);border-radius:8px;padding:.6rem 1rem;margin:1rem 0}"
    ".ask i{display:inline-block;width:8rem;border-bottom:1px dotted var(--mf-muted);margin-left:.8rem}"
    "@media print{body{margin:0 auto;font-size:11.5pt}}"
)


def page(lesson: Lesson, answers: bool) -> str:
    """The whole lesson as one HTML document; `answers` puts them at the end."""
    body = "".join(_section(n, step, lesson) for n, step in enumerate(STEPS, start=1))
    if answers:
        body += f"<section><h2>Answers</h2>{''.join(_answer(n, step, lesson) for n, step in enumerate(STEPS, start=1))}</section>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Which weights go, and why?</title>'
        f"<style>{_STYLE}{matrices.RULES}</style></head><body><h1>Which weights go, and why?</h1>"
        f"<p>A lesson in {len(STEPS)} steps on pruning by information flow, after MULTIFLOW (Farina et al., CVPR 2024).</p>"
        f"{body}</body></html>"
    )


def _section(n: int, step: Step, lesson: Lesson) -> str:
    parts = [f"<h2>{n}. {escape(step.title)}</h2>", prose(step.text(lesson))]
    if step.formula:
        parts.append(f'<div class="formula">{step.formula.html}<small>{escape(step.formula.signs)}</small></div>')
    parts.append(matrices.side_by_side(step.pictures(lesson, False), LIGHT))
    if step.game:
        parts.append('<div class="ask">Which six go? <i>&nbsp;</i><i>&nbsp;</i><i>&nbsp;</i></div>')
    if step.exercise:
        parts.append(f'<div class="ask">{prose(step.exercise(lesson).question)}Your answer:<i>&nbsp;</i></div>')
    return "".join(parts)


def _answer(n: int, step: Step, lesson: Lesson) -> str:
    found = [step.exercise(lesson).why] if step.exercise else []
    return f"<h3>{n}. {escape(step.title)}</h3>{prose(' '.join([*found, step.moral(lesson)]))}"


def prose(text: str) -> str:
    """Paragraphs with **bold** and *italics* as HTML.

    >>> prose("A **bold** <word>.\\n\\nAnd *another*.")
    '<p>A <b>bold</b> &lt;word&gt;.</p><p>And <em>another</em>.</p>'
    """
    safe = escape(text.strip(), quote=False)
    safe = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", safe, flags=re.S)
    safe = re.sub(r"\*(.+?)\*", r"<em>\1</em>", safe, flags=re.S)
    return "".join(f"<p>{part}</p>" for part in re.split(r"\n\s*\n", safe))

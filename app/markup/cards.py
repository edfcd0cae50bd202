"""Picture grids, ranked captions and marked captions as HTML. Pure: frozen data in, text out; everything is escaped."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape

from ..look.words import percent, scored, unbroken


@dataclass(frozen=True)
class Hit:
    """One place in a ranking: `text` is the picture's description or the caption; `other` its rank in the other model.

    `true`: whether it should be found; `mark` is what is then said of it.
    """

    rank: int
    score: float
    text: str
    true: bool
    other: int
    picture: bytes | None = None
    mark: str = "true"


def move(hit: Hit) -> tuple[str, str]:
    """The rank change from the dense to the pruned model, as a sign and in words.

    >>> move(Hit(1, 0.5, "a cat", True, other=4))
    ('▲ 3', 'up 3 places from 4')
    """
    change = hit.other - hit.rank
    if not change:
        return "=", "same place"
    return (
        f"{'▲' if change > 0 else '▼'} {abs(change)}",
        f"{'up' if change > 0 else 'down'} {abs(change)} places from {hit.other}",
    )


def heading(name: str, note: str, side: str) -> str:
    """The head of a column; side is "dense" or "pruned"."""
    return f'<div class="mf-head mf-{side}">{escape(unbroken(name))}<small>{escape(note)}</small></div>'


def picture_grid(hits: tuple[Hit, ...], side: str, moves: bool) -> str:
    """Ranked pictures with scores; with `moves`, also how far each has moved."""
    return f'<div class="mf-grid">{"".join(_card(hit, side, moves) for hit in hits)}</div>'


def _card(hit: Hit, side: str, moves: bool) -> str:
    alt = f"rank {hit.rank}: {hit.text}" + (f" ({hit.mark})" if hit.true else "")
    check = f'<span class="mf-check">✓ {hit.mark}</span>' if hit.true else ""
    sign = _move(hit) if moves else ""
    score, what = scored(hit.score)
    return (
        f'<figure class="mf-card{" mf-true" if hit.true else ""}" title="{escape(hit.text)}">'
        f'<img src="{data_uri(hit.picture)}" alt="{escape(alt)}">'
        f'<figcaption><span class="mf-line"><b>{hit.rank}</b>{check}</span>'
        f'<span class="mf-line"><span title="{what}">{score:.2f}</span>{sign}</span>'
        f"{_bar(score, side)}</figcaption></figure>"
    )


def _move(hit: Hit) -> str:
    sign, words = move(hit)
    return f'<span class="mf-muted" title="{escape(words)} in the dense ranking" aria-label="{escape(words)}">{sign}</span>'


def _bar(score: float, side: str) -> str:
    return f'<div class="mf-bar"><i style="width:{100 * max(0.0, min(1.0, score)):.0f}%;background:var(--mf-{side})"></i></div>'


def caption_list(hits: tuple[Hit, ...], side: str, moves: bool) -> str:
    """Ranked captions with scores."""
    rows = "".join(
        f'<li class="{"mf-true" if hit.true else ""}"><span class="mf-muted">{hit.rank}</span>'
        f"<span>{escape(hit.text)}{_tick(hit)}</span>"
        f'<span class="mf-line"><span title="cosine similarity">{hit.score:.2f}</span>{_move(hit) if moves else ""}</span>'
        f"{_bar(hit.score, side)}</li>"
        for hit in hits
    )
    return f'<ol class="mf-list">{rows}</ol>'


def _tick(hit: Hit) -> str:
    return f' <b style="color:var(--mf-true);white-space:nowrap">✓ {hit.mark}</b>' if hit.true else ""


@dataclass(frozen=True)
class Word:
    """A word of a caption: the probability the model gave it (None: unknown), whether it is false of the picture, and
    whether the other model's caption lacks it."""

    text: str
    probability: float | None = None
    false: bool = False
    differs: bool = False


@dataclass(frozen=True)
class Said:
    """A caption with its verdict: `true` is None where the truth is not known."""

    words: tuple[Word, ...]
    true: bool | None
    reasons: tuple[str, ...] = ()
    understood: bool = True


def caption_card(name: str, said: Said, side: str) -> str:
    """A caption in large words: the bar under a word shows how sure the model was, false words are struck through."""
    words = "".join(_word(word, side) for word in said.words) or '<span class="mf-muted">(it says nothing)</span>'
    return (
        f'<div class="mf-says mf-{side}"><h2>{escape(unbroken(name))}</h2><div class="mf-words">{words}</div>'
        f'<div class="mf-verdict">{_verdict(said)}</div></div>'
    )


def _word(word: Word, side: str) -> str:
    sure = 1.0 if word.probability is None else word.probability
    title = [] if word.probability is None else [f"probability {percent(word.probability)}"]
    title += ["false of this picture"] * word.false + ["the other model does not say it here"] * word.differs
    color = "false" if word.false else side
    tag, extra = ("del", " mf-wrong") if word.false else ("span", "")
    extra += " mf-differs" * word.differs
    line = f"color-mix(in srgb, var(--mf-{color}) {100 * sure:.0f}%, transparent)"
    return (
        f'<{tag} class="mf-word{extra}" style="border-bottom-color:{line}" title="{escape("; ".join(title))}">'
        f"{escape(word.text)}</{tag}>"
    )


def _verdict(said: Said) -> str:
    if said.true is None:
        return '<span class="mf-muted">The lab cannot tell whether this is true, so nothing is marked.</span>'
    if said.true:
        return '<b class="ok">✓ True</b> of this picture.'
    if not said.understood:
        why = said.reasons[0] if said.reasons else "no sentence"
        return f'<b class="no">✗ No sense</b>: {escape(why)}.'
    return f'<b class="no">✗ False</b>: {escape("; ".join(said.reasons))}.'


@dataclass(frozen=True)
class Reply:
    """An answer with the probability the model gave it; `true`: whether it is right, None where `right` is not known."""

    text: str
    probability: float
    true: bool | None = None
    right: str | None = None


def answer_card(name: str, reply: Reply, side: str) -> str:
    """An answer in large words; the bar under it shows how sure the model was, a wrong one is struck through."""
    word = Word(reply.text or "(nothing)", reply.probability, reply.true is False)
    verdicts = {
        True: '<b class="ok">✓ Right</b> · ',
        False: f'<b class="no">✗ Wrong</b>: it is {escape(reply.right or "")} · ',
        None: "",
    }
    sure = unbroken(percent(reply.probability))
    return (
        f'<div class="mf-says mf-{side}"><h2>{escape(unbroken(name))}</h2><div class="mf-words">{_word(word, side)}</div>'
        f'<div class="mf-verdict">{verdicts[reply.true]}<span class="mf-muted">{sure} sure</span></div></div>'
    )


def legend(side: str = "pruned", judged: bool = True) -> str:
    """What bars, strokes and frames mean; strokes only where somebody judges."""
    stroke = '<span><del style="color:var(--mf-false);font-weight:650">word</del> false of this picture</span>'
    return (
        '<div class="mf-legend"><span>unsure<span class="mf-swatch" style="background:linear-gradient(90deg,'
        f'color-mix(in srgb,var(--mf-{side}) 8%,transparent),var(--mf-{side}))"></span>sure of the word</span>'
        f"{stroke if judged else ''}"
        '<span><span class="mf-differs">word</span>&ensp;said by one model only</span></div>'
    )


def picture(data: bytes, alt: str, square: bool = False) -> str:
    """One picture, full width unless it is much higher than wide, rounded."""
    shape = "aspect-ratio:1;object-fit:cover" if square else "max-height:480px;object-fit:contain;object-position:left"
    style = f"width:100%;border-radius:12px;display:block;{shape}"
    return f'<img src="{data_uri(data)}" alt="{escape(alt)}" style="{style}">'


def data_uri(data: bytes | None) -> str:
    """A WebP file as an address."""
    return "data:image/webp;base64," + base64.b64encode(data or b"").decode()

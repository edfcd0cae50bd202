"""How numbers are said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape


def plain(text: str) -> str:
    """Text that is not ours for a chart: Plotly reads some tags, and places for values.

    >>> plain("<a href='x'>50 %{y}</a>")
    "&lt;a href='x'&gt;50 %&#123;y}&lt;/a&gt;"
    """
    return escape(text, quote=False).replace("%{", "%&#123;")


def percent(fraction: float) -> str:
    """A fraction in per cent, without pretending that little is nothing or much is all.

    >>> percent(0.631), percent(0.996), percent(1.0), percent(0.0004), percent(0.99999)
    ('63 %', '99.6 %', '100 %', '0.04 %', '>99.99 %')
    """
    for digits in (0, 1, 2):
        text = f"{100 * fraction:.{digits}f}"
        if fraction in (0, 1) or float(text) not in (0, 100):
            return f"{text} %"
    return "<0.01 %" if fraction < 0.5 else ">99.99 %"


def unbroken(text: str) -> str:
    """A text in which no line begins with a unit: sentences, before they are shown.

    >>> unbroken("63 % of 50 % and more %").split(" ")
    ['63\\xa0%', 'of', '50\\xa0%', 'and', 'more', '%']
    """
    return re.sub(r"(?<=\d) %", "\u00a0%", text)


def wrapping(latex: str) -> str:
    r"""A formula that may end a line between the words in it, and so fits a narrow card.

    >>> print(wrapping(r"w_{\text{in}}\text{, of it}"))
    w_{\text{in}}\text{, }\allowbreak\text{of }\allowbreak\text{it}
    """
    return re.sub(r"\\text\{[^{}]*\}", lambda words: words[0].replace(" ", r" }\allowbreak\text{"), latex)


def count(number: int) -> str:
    """A large number, short.

    >>> count(6_635_520), count(147_456), count(12)
    ('6.64 M', '147 k', '12')
    """
    if number >= 1_000_000:
        return f"{number / 1e6:.3g} M"
    return f"{number / 1e3:.3g} k" if number >= 1_000 else str(number)


def ordinal(number: int) -> str:
    """A place in a ranking.

    >>> [ordinal(n) for n in (1, 2, 3, 4, 11, 23, 112)]
    ['1st', '2nd', '3rd', '4th', '11th', '23rd', '112th']
    """
    last = number % 10 if number % 100 not in (11, 12, 13) else 0
    return f"{number:,}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th') }"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def number(value: float) -> str:
    """A number with three significant digits at most, and a real minus.

    >>> number(16.5), number(-2.0), number(0.012345), number(0.0), number(3.2e-7), number(2112.0)
    ('16.5', '−2', '0.0123', '0', '3.2e−07', '2112')
    """
    text = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return "0" if value == 0 else text.replace("-", "−")


MATCHED = 1.0  # scores from here on are this and the probability that the matching head gives; below, they are cosines


def scored(score: float) -> tuple[float, str]:
    """The score of a picture as it is shown, and what it is.

    >>> scored(1.75), scored(0.25)
    ((0.75, 'probability by the matching head'), (0.25, 'cosine similarity'))
    """
    return (score - MATCHED, "probability by the matching head") if score >= MATCHED else (score, "cosine similarity")

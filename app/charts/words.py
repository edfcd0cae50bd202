"""How numbers are said."""

from __future__ import annotations


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


def count(number: int) -> str:
    """A large number, short.

    >>> count(6_635_520), count(147_456), count(12)
    ('6.64 M', '147 k', '12')
    """
    if number >= 1_000_000:
        return f"{number / 1e6:.3g} M"
    return f"{number / 1e3:.3g} k" if number >= 1_000 else str(number)

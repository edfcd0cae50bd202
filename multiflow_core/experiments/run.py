"""One run: which model is pruned, how, and how far. Needs no torch."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any

OWN = "own"  # the criterion, or the allocation, that belongs to the method
# what follows in the text where it is not the default
_FURTHER = ("criterion", "seed", "data", "fixed", "options", "form")
TUNED, SMALLER = FORMS = ("tuned", "smaller")
UNTAUGHT = "untaught"  # with the masks of a tuned one
GIVEN = "masks"  # and the first digits of their file


@dataclass(frozen=True)
class Run:
    """One pruned model. It is what a page shows, what caches and result files go by, and what an address says.

    >>> run = Run("flatland-blip", "omp", 0.63)
    >>> str(run), Run.read(str(run)) == run
    ('flatland-blip,omp,own,0.63', True)
    >>> str(Run("blip", "multiflow", 0.5, "global", seed=1, options=(("steps", 3),)))
    'blip,multiflow,global,0.5,seed=1,options=steps:3'
    >>> str(Run("blip", "omp", 0.5, data="/photos, mine")), Run.read("blip,omp,own,0.5,data=/photos%2C mine").data
    ('blip,omp,own,0.5,data=/photos%2C mine', '/photos, mine')
    >>> str(Run("blip", "omp", 0.5, fixed="text=dense,vision 3=0.2"))
    'blip,omp,own,0.5,fixed=text=dense%2Cvision 3=0.2'
    >>> str(Run("blip", "omp", 0.5, data="paperland", form=TUNED))
    'blip,omp,own,0.5,data=paperland,form=tuned'

    Attributes:
        model: what the model goes by. method: a pruner's name; none is the dense model.
        sparsity: 0..1. allocation, criterion: names of what replaces the method's own, unless `OWN`.
        seed: of chance, and of the choice of calibration pairs.
        options: of the method, ((name, value), ...), where they are not its quick ones.
        data: the data set that it is calibrated on, by name or path; none is the default.
        fixed: which layers stay dense or have a sparsity of their own, as `pruning.patterns.write_fixed` writes it.
        form: "" where single weights are zero, and no more. `TUNED`: it was then fine-tuned for whatever it is asked; `data` is
            what it has learnt and is asked about, and it was calibrated on the default. `SMALLER`: so many hidden units are gone
            in place of weights. `UNTAUGHT`: as it was before it was tuned. `GIVEN`-digits: its masks were made elsewhere.
    """

    model: str
    method: str
    sparsity: float = 0.0
    allocation: str = OWN
    criterion: str = OWN
    seed: int = 0
    options: tuple[tuple[str, Any], ...] = ()
    data: str = ""
    fixed: str = ""
    form: str = ""

    @classmethod
    def dense(cls, model: str, data: str = "") -> Run:
        """The model as it is, asked about a data set."""
        return cls(model, "", data=data)

    @property
    def order(self) -> Run:
        """What decides the order in which weights go: the run without its sparsity, and without what came after pruning."""
        form = self.form if self.given else ""
        return replace(self, sparsity=0.0, data="" if self.form in (TUNED, UNTAUGHT) else self.data, form=form)

    @property
    def given(self) -> bool:
        """Whether its masks were made elsewhere."""
        return self.form.startswith(GIVEN)

    @property
    def unpruned(self) -> Run:
        """The dense model that it is held against, asked about the same data, and as much taught."""
        return replace(Run.dense(self.model, self.data), form=TUNED if self.form == TUNED else "")

    def at(self, sparsity: float) -> Run:
        """The same at another sparsity."""
        return replace(self, sparsity=sparsity)

    @property
    def name(self) -> str:
        """What a result file calls it: the method, or the criterion x allocation in its place, and what is fixed.

        >>> Run("", "multiflow", 0.5, "global", "flow").name, Run("", "omp", 0.5, fixed="text=dense").name
        ('flow x global', 'omp, text=dense')
        """
        by = self.method if self.criterion == OWN else f"{self.criterion} x {self.allocation}"
        return f"{by}, {self.fixed}" if self.fixed else by

    @property
    def plain(self) -> bool:
        """Whether a result file counts it among the methods: by the method's own criterion, with nothing fixed."""
        return self.criterion == OWN and not self.fixed

    def __str__(self) -> str:
        text = f"{self.model},{self.method},{self.allocation},{self.sparsity:g}"
        options = ";".join(f"{name}:{value}" for name, value in self.options)
        more = {"criterion": self.criterion, "seed": self.seed, "data": _quoted(self.data)}
        more |= {"fixed": _quoted(self.fixed), "options": options}
        more |= {"form": self.form}
        plain = {"criterion": OWN, "seed": 0, "data": "", "fixed": "", "options": "", "form": ""}
        return text + "".join(f",{name}={value}" for name, value in more.items() if value != plain[name])

    @classmethod
    def read(cls, text: str) -> Run:
        """What `str` wrote; ValueError with a sentence when it is nothing of that kind."""
        parts = text.split(",")
        more: dict[str, Any] = {}
        while len(parts) > 4 and "=" in parts[-1] and parts[-1].partition("=")[0] in _FURTHER:
            name, _, value = parts.pop().partition("=")
            more[name] = value
        if len(parts) < 4 or not parts[0]:
            raise ValueError("a run is written as model,method,allocation,sparsity")
        *model, method, allocation, sparsity = parts
        if "options" in more:
            more["options"] = tuple(read_option(part) for part in more["options"].split(";"))
        more |= {name: _unquoted(more[name]) for name in ("data", "fixed") if name in more}
        if "seed" in more:
            more["seed"] = _number(more["seed"], int, "a seed is a whole number")
        if more.get("form", TUNED) not in FORMS and not re.fullmatch(GIVEN + "-[0-9a-f]{16}", more["form"]):
            raise ValueError(f"a run has one of these forms: {', '.join(FORMS)}, {GIVEN}-DIGITS")
        share = _number(sparsity, float, "a sparsity lies between 0 and 1")
        if not 0 <= share <= 1:
            raise ValueError("a sparsity lies between 0 and 1")
        return cls(",".join(model), method, share, allocation, **more)


def _quoted(text: str) -> str:
    """A text without commas, which part the fields of a run."""
    return text.replace("%", "%25").replace(",", "%2C")


def _unquoted(text: str) -> str:
    return text.replace("%2C", ",").replace("%25", "%")


def read_option(text: str, mark: str = ":") -> tuple[str, Any]:
    """An option's name and value: a number where it is one.

    >>> read_option("steps:3"), read_option("mask=magnitude", "=")
    (('steps', 3), ('mask', 'magnitude'))
    """
    name, _, value = text.partition(mark)
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value


def _number(text: str, kind: type, otherwise: str) -> Any:
    try:
        number = kind(text)
        finite = math.isfinite(number)
    except (ValueError, OverflowError):
        finite = False
    if not finite:
        raise ValueError(otherwise)
    return number

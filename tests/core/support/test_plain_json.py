"""JSON of what is told: nothing that JSON does not know, and the same back."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from multiflow_core.support.plain_json import plain, written

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class Pair(NamedTuple):
    a: int
    b: frozenset


@dataclass(frozen=True)
class Held:
    pair: Pair
    path: Path


@given(VALUES)
def test_what_json_knows_comes_back(value):
    assert json.loads(written(value)) == value


def test_the_rest_by_hand():
    assert plain(Held(Pair(1, frozenset("ba")), Path("x/y"))) == {"pair": {"a": 1, "b": ["a", "b"]}, "path": "x/y"}
    assert plain((math.inf, -math.inf, math.nan, np.float64(0.5))) == [None, None, None, 0.5]

"""JSON one element at a time: the same as all at once, whatever the chunks, and a sentence for what is none."""

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core.data import members as module
from multiflow_core.data.members import members

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def whole(held) -> list:
    """What `members` says, from the whole file."""
    if isinstance(held, list):
        return [("", element) for element in held]
    pairs = []
    for key, value in held.items():
        pairs += [(key, element) for element in value] if isinstance(value, list) else [(key, value)]
    return pairs


@given(
    st.lists(VALUES) | st.dictionaries(st.text(), VALUES), st.sampled_from([None, 1]), st.integers(1, 9), st.booleans()
)
@settings(max_examples=100, deadline=None)
def test_it_is_what_the_file_holds(tmp_path_factory, held, indent, chunk, mark):
    file = tmp_path_factory.mktemp("json") / "a.json"
    text = json.dumps(held, indent=indent, ensure_ascii=True)
    file.write_text(text, encoding="utf-8-sig" if mark else "utf-8")
    before, module.CHUNK = module.CHUNK, chunk
    try:
        assert list(members(file)) == whole(held)
    finally:
        module.CHUNK = before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1, neither a list nor an object"),
        ("3", "neither a list nor an object"),
        ('{"a": [1, 2', "line 1, ']' is missing"),
        ('{"a": [1,\n 2}', "line 2, ']' is missing"),
        ('{"a": [1,\n\n 2 nul]}', "line 3"),
        ('[1,\n{"b": tru}]', "line 2, expecting value"),
        ("[1] 2", "more follows"),
        ('{"a" 1}', "':' is missing"),
        ("{1: 2}", "a key is no text"),
        ("[" * 100_000, "line 1|nested too deeply"),
        ('["a', "unterminated string"),
    ],
)
def test_what_is_no_json_is_told_with_its_line(tmp_path, text, said):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=said) as problem:
        list(members(tmp_path / "a.json"))
    assert "a.json is no readable JSON" in str(problem.value) and "\n" not in str(problem.value)


def test_bytes_that_are_no_text_are_told(tmp_path):
    (tmp_path / "a.json").write_bytes(b'["\xff"]')
    with pytest.raises(ValueError, match="not encoded as UTF-8"):
        list(members(tmp_path / "a.json"))


def test_an_element_without_an_end_is_not_read_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 1000)
    monkeypatch.setattr(module, "CHUNK", 100)
    (tmp_path / "a.json").write_text('["' + "x" * 100_000 + '"]')
    with pytest.raises(ValueError, match="unterminated"):
        list(members(tmp_path / "a.json"))


def test_a_long_list_takes_the_memory_of_a_part_of_it(tmp_path):
    element = json.dumps({"id": 1, "caption": "x" * 200})
    (tmp_path / "a.json").write_text("[" + ",".join([element] * 50_000) + "]")  # 12 MB
    tracemalloc.start()
    try:
        assert sum(1 for _ in members(tmp_path / "a.json")) == 50_000
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()

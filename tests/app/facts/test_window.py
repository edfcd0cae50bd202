"""Going deeper into a matrix, click by click, and finding back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import state
from app.facts.window import LEAST, MOST, Window, around

SHAPES = ((3072, 768), (768, 3072), (768, 192), (192, 192), (30, 1000), (1, 1), (97, 129))


@pytest.mark.parametrize("shape", SHAPES)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_few_clicks_lead_to_any_weight_and_the_trail_back(shape, data):
    weight = tuple(data.draw(st.integers(0, size - 1)) for size in shape)
    window, clicked = Window.whole(shape), [Window.whole(shape)]
    while not window.single:
        inner = window.zoomed(*weight)
        assert inner in window and inner != window
        assert all(at in span for at, span in zip(weight, inner.spans))
        window = inner
        clicked.append(window)
    assert len(clicked) <= 3
    assert window.trail(shape) == clicked
    assert Window.read(str(window), shape) == window
    assert state.WINDOW.parse(str(window)) == str(window)


@pytest.mark.parametrize("shape", SHAPES)
def test_blocks_tile_the_window_and_stay_large_enough_to_see(shape):
    whole = Window.whole(shape)
    rows = {whole.zoomed(row, 0).rows for row in range(shape[0])}
    columns = {whole.zoomed(0, column).columns for column in range(shape[1])}
    for spans, size, least in ((rows, shape[0], LEAST[0]), (columns, shape[1], LEAST[1])):
        assert sorted(at for span in spans for at in span) == list(range(size))
        assert all(len(span) >= min(least, size) for span in spans)


def test_weights_are_single_where_each_has_a_cell():
    assert Window.whole(MOST).single
    assert not Window.whole((MOST[0] + 1, 1)).single and not Window.whole((1, MOST[1] + 1)).single


def test_a_window_written_by_hand_has_a_trail_too():
    by_hand = Window(range(0, 768), range(10, 40))
    assert by_hand.trail((768, 192)) == [Window.whole((768, 192)), by_hand]


@pytest.mark.parametrize("text", ["0-768,0-0", "0-0,192-192", "700-900,0-1"])
def test_a_window_beyond_the_matrix_is_none(text):
    assert Window.read(text, (768, 192)) is None


@pytest.mark.parametrize("text", ["5", "5-4,0-1", "0-1,3-2", "0-1", "-1-2,0-1", "0-1,0-1,0-1", "a-b,c-d", "0-1;0-1"])
def test_a_window_that_is_none_is_one_sentence(text):
    with pytest.raises(state.BadValue):
        Window.read(text, (768, 192))
    sentences = list(state.complaints({"window": text}, {}).values())
    assert len(sentences) == 1 and sentences[0].endswith("showing the whole layer.")


@given(st.integers(1, 300), st.data())
@settings(max_examples=30, deadline=None)
def test_around_stays_inside(size, data):
    at = data.draw(st.integers(0, size - 1))
    span = around(range(size), at, 32)
    assert at in span and len(span) == min(32, size) and span.start >= 0 and span.stop <= size

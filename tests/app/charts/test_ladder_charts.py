"""What a model says over sparsity: the strip, the ranks, and where they change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charts import DARK, LIGHT
from app.charts.answers import FirstWords
from app.charts.gaps import ScoreGaps
from app.charts.rank_ladder import RankLadder
from app.charts.said_ladder import Flip, Rung, SaidLadder, flip

RED = SaidLadder(
    "answer",
    "OMP",
    (
        Rung(0.0, "red", True, 0.9),
        Rung(0.5, "red", True, 0.6),
        Rung(0.51, "blue", False, 0.5),
        Rung(0.7, "red", True, 0.4),
        Rung(0.9, "", False, 0.1),
    ),
    0.63,
)
CAPTION = SaidLadder(
    "caption",
    "MULTIFLOW",
    (
        Rung(0.0, "a red car by day", True, 0.3),
        Rung(0.58, "a red car by day", True, 0.3),
        Rung(0.6, "a red car", True, 0.2),
        Rung(0.66, "a red car", True, 0.2),
        Rung(0.67, "a blue car", False, 0.2),
    ),
    0.63,
)
LONG = SaidLadder(
    "caption",
    "LocalMP, per-modality",
    tuple(Rung(i / 24, f"caption number {i} " + "with many words " * 8, None, 0.01) for i in range(24)),
    0.5,
)
RANKS = RankLadder(
    "best true picture",
    "OMP",
    (0.0, 0.5, 0.6, 0.7, 0.9),
    (1, 1, 3, 1, 40),
    (("a", (1, 1, 9, 8, 41)), ("b", (2, 2, 3, 1, 40))),
    160,
    8,
    0.63,
)
WORDS = FirstWords(
    "OMP at 75 %",
    (("red", 0.6), ("blue", 0.3), ("green", 0.05), ("pink", 0.0005), ("black", 0.0001)),
    (("blue", 0.5), ("cat", 0.2), ("red", 0.125), ("white", 0.1), ("green", 0.0001)),
    "red",
)
GAPS = ScoreGaps("best true picture", "best false picture", "OMP at 75 %", (0.75, 0.5), (0.25, 0.375))
CHARTS = {"answer": RED, "caption": CAPTION, "long": LONG, "ranks": RANKS, "words": WORDS, "gaps": GAPS}


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS.keys())
def test_template_axes_words_and_size(chart, palette):
    figure = chart.figure(palette)
    assert figure.layout.template == palette.template
    assert figure.layout.xaxis.title.text and figure.layout.yaxis.title.text
    assert 100 < figure.layout.height < 2100
    assert len(figure.to_json()) < 100_000 and "#000001" not in figure.to_json()
    for text in (chart.title(), chart.describe()):
        assert len(text) > 15 and "None" not in text and "\n" not in text
    assert len(chart.title()) < 110
    assert len({len(column) for column in chart.table().values()}) == 1


# --- flips ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holds", "expected"),
    [
        ([True], Flip(0)),
        ([True, True, True], Flip(2)),
        ([True, True, False], Flip(1, 2)),
        ([True, False, False, True, False], Flip(0, 1, 3)),
    ],
)
def test_flips_by_hand(holds, expected):
    assert flip(list(enumerate(holds))) == expected


def test_what_never_held_does_not_flip():
    with pytest.raises(ValueError, match="never held"):
        flip([(0.0, False), (0.5, True)])


@given(st.lists(st.booleans(), max_size=20).map(lambda rest: [True, *rest]))
def test_a_flip_is_between_neighbours(holds):
    found = flip(list(enumerate(holds)))
    assert all(holds[: int(found.last) + 1])
    if found.first is None:
        assert all(holds) and found.back is None
    else:
        assert found.first == found.last + 1 and not holds[int(found.first)]
        later = [i for i in range(int(found.first), len(holds)) if holds[i]]
        assert found.back == (later[0] if later else None)


# --- the strip --------------------------------------------------------------------------------------------------


def test_an_answer_and_whether_it_comes_back():
    assert RED.title() == "OMP answers “red” up to 50 % (again at 70 %), then “blue”"
    kept = SaidLadder("answer", "OMP", RED.rungs[:2], 0.63)
    assert kept.title() == "OMP answers “red” at every sparsity tried, up to 50 %"


def test_a_caption_stays_true_longer_than_it_stays_the_same():
    assert CAPTION.title() == "MULTIFLOW keeps the dense model's caption up to 58 % and a true one up to 66 %"
    assert CAPTION.held == Flip(0.66, 0.67)
    assert LONG.held is None


def test_bands_join_neighbours_that_say_the_same():
    figure = RED.figure(LIGHT)
    assert [list(trace.x) for trace in figure.data] == [[0, 50], [51], [70], [90]]
    assert [trace.y[0] for trace in figure.data] == [0, 1, 0, 2]
    assert [trace.line.color for trace in figure.data] == [LIGHT.true, LIGHT.false, LIGHT.true, LIGHT.false]
    assert list(figure.layout.yaxis.ticktext) == ["✓ red", "✗ blue", "✗ (nothing)"]
    assert figure.layout.shapes[0].x0 == 63
    assert LONG.figure(DARK).data[0].line.color == DARK.pruned  # nobody knows
    band = (
        SaidLadder("answer", "OMP", tuple(Rung(s / 10, "red", True, 0.9) for s in range(4)), 0.5).figure(LIGHT).data[0]
    )
    assert band.marker.size == (14, 5, 5, 14)  # asked at four, with round ends


def test_long_captions_are_cut_in_the_chart_and_whole_in_the_table():
    label = LONG.figure(LIGHT).layout.yaxis.ticktext[0]
    assert label.count("<br>") == 2 and label.endswith(" …")
    assert LONG.table()["caption"][0] == LONG.rungs[0].said


# --- ranks, words, gaps -----------------------------------------------------------------------------------------


def test_ranks_say_where_the_best_loses_its_place():
    assert RANKS.title() == "The best true picture stays first up to 50 % (again at 70 %), among the first 8 up to 70 %"
    figure = RANKS.figure(LIGHT)
    assert [trace.name for trace in figure.data] == ["a", "b", "best true picture"]
    assert list(figure.data[-1].y) == [1, 1, 3, 1, 40]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # the first place is on top
    assert figure.layout.yaxis.ticktext[-1] == "160th"


@pytest.mark.parametrize(
    ("best", "title"),
    [
        ((1, 1, 1), "The true caption stays first at every sparsity tried, up to 60 %"),
        ((1, 2, 3), "The true caption stays first up to 0 %, among the first 8 throughout"),
        ((3, 8, 9), "The true caption, 3rd in the dense model, stays among the first 8 up to 50 %"),
        ((12, 9, 30), "The true caption is only 12th in the dense model, 9th at best"),
    ],
)
def test_titles_of_ranks(best, title):
    chart = RankLadder("true caption", "OMP", (0.0, 0.5, 0.6), best, (("a", best),), 160, 8, 0.6)
    assert chart.title() == title
    assert len(chart.figure(LIGHT).data) == 1


def test_first_words_of_both_models():
    assert WORDS.words == ("red", "blue", "cat", "white", "green")  # what neither is sure of is left out
    assert WORDS.table()["dense"] == [0.6, 0.3, 0.0, 0.0, 0.05]
    assert WORDS.table()["OMP at 75 %"] == [0.125, 0.5, 0.2, 0.1, 0.0001]
    assert "the right word, “red”" in WORDS.title()
    dense, pruned = WORDS.figure(DARK).data
    assert (dense.marker.color, pruned.marker.color) == (DARK.dense, DARK.pruned)
    assert dense.y[0] == "✓ <b>red</b>" and pruned.text[-1] == "< 0.1 %"


def test_first_words_without_a_known_answer():
    chart = FirstWords("OMP", (("red", 0.5), ("a", 0.1)), (("red", 0.501), ("b", 0.1)))
    assert chart.title() == "Both models give “red”, 50 %"
    unsure = FirstWords("OMP", (("red", 0.00005),), (("blue", 0.00004),))
    assert unsure.words == ("red", "blue")


def test_gaps_are_leads_with_a_sign():
    assert GAPS.gaps == (0.25, -0.13)  # 0.25 - 0.38: what the figures on the bars say
    assert GAPS.title() == "The best true picture leads by 0.25 in the dense model and trails by 0.13 after pruning"
    full, hollow = GAPS.figure(LIGHT).data
    assert list(full.x) == [0.75, 0.25] and list(hollow.x) == [0.5, 0.375]
    assert full.y == ("dense  +0.25", "pruned  -0.13")
    assert list(full.marker.color) == [LIGHT.dense, LIGHT.pruned] and hollow.marker.color == LIGHT.background

"""The lesson: its numbers are the core's, its answers are right, and it can be walked through."""

import math
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import state
from app.lesson import STEPS, printed
from app.lesson.small_layers import Lesson, small, towers
from app.markup import matrices
from app.markup.matrices import Matrix

WEIGHTS = state.numbers_of(state.LESSON_WEIGHTS.default)
TOKENS = state.numbers_of(state.LESSON_TOKENS.default)
SCALE = float(state.SCALE.default)
TITLES = [step.title for step in STEPS]
figures = st.integers(-9, 9).map(float) | st.floats(-99, 99).map(lambda x: round(x, 2))


def numbers(rows: int):
    return st.tuples(*[st.tuples(*[figures] * 4)] * rows)


def lesson(weights=WEIGHTS, tokens=TOKENS, scale=SCALE) -> Lesson:
    return Lesson(small(weights, tokens), towers(weights, tokens, scale))


def by_hand(weights, tokens):
    """Steps 1 to 5 in plain loops: norms, what links carry, both saliencies, places, scores."""
    norms = [math.sqrt(sum(row[j] ** 2 for row in tokens) / 2) for j in range(4)]
    carried = [[abs(w) * a for w, a in zip(row, norms)] for row in weights]
    s_in = [sum(row[j] for row in carried) / 3 for j in range(4)]
    s_out = [sum(row) / 4 for row in carried]
    meeting = [[o * i for i in s_in] for o in s_out]
    score = [[abs(w) * m for w, m in zip(*rows)] for rows in zip(weights, meeting)]
    return norms, carried, s_in, s_out, meeting, score


# --- numbers ----------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(numbers(3), numbers(4))
def test_every_number_is_the_one_that_a_hand_would_find(weights, tokens):
    found = small(weights, tokens)
    named = (found.norms, found.carried, found.s_in, found.s_out, found.meeting, found.score)
    for core, hand in zip(named, by_hand(weights, tokens)):
        flat = [x for row in core for x in (row if isinstance(row, tuple) else (row,))]
        assert flat == pytest.approx(
            [x for row in hand for x in (row if isinstance(row, list) else (row,))], rel=1e-4, abs=1e-6
        )
    flat = [x for row in found.score for x in row]
    assert [p - 1 for row in found.order for p in row] == [
        sorted(range(12), key=lambda k: (flat[k], k)).index(k) for k in range(12)
    ]
    assert found.gone == {(i, j) for i, j in found.cells if found.order[i][j] <= 6}
    sizes = sorted(found.cells, key=lambda c: (abs(weights[c[0]][c[1]]), c))
    assert {(i, j) for i, j in found.cells if not found.by_size[i][j]} == set(sizes[:6])


def test_the_lessons_own_numbers():
    """Worked on paper: the squares of the columns are 8, 2, 32 and 18, over 2 pairs."""
    found = small(WEIGHTS, TOKENS)
    assert found.norms == (2, 1, 4, 3) and found.s_in == (10, 6, 20, 12) and found.s_out == (9, 15.5, 11.5)
    assert found.score == ((90, 54, 1080, 324), (1395, 744, 930, 1488), (575, 621, 1380, 138))
    assert found.small_stays == (1, 2) and found.large_goes == (2, 1)
    assert WEIGHTS[1][2] == -3 and WEIGHTS[2][1] == 9  # the smaller one stays, the largest of all goes


@pytest.mark.parametrize(("scale", "text"), [(1.0, 12), (0.5, 15), (0.25, 17), (0.15, 21), (0.1, 24)])
def test_one_threshold_takes_from_the_modality_with_the_smaller_weights(scale, text):
    four = towers(WEIGHTS, TOKENS, scale)
    assert four.lost("text", "globally") == (text, 24) and four.lost("vision", "globally") == (24 - text, 24)
    for which in ("per_modality", "multiflow"):
        assert four.lost("text", which) == four.lost("vision", which) == (12, 24)
    assert (
        [it.lost(it.multiflow) for it in four.layers]
        == [it.lost(it.per_modality) for it in four.layers]
        == [5, 7, 4, 8]
    )


@settings(max_examples=25, deadline=None)
@given(numbers(3), st.sampled_from(state.SCALES).map(float))
def test_the_towers_are_cut_where_sorting_cuts_them(weights, scale):
    four = towers(weights, TOKENS, scale)
    spots = [(n, i, j) for n, it in enumerate(four.layers) for i in range(3) for j in range(4)]

    def size(spot):
        return abs(_float32(four.layers[spot[0]].weights[spot[1]][spot[2]]))

    def gone(which):
        return {(n, i, j) for n, i, j in spots if not getattr(four.layers[n], which)[i][j]}

    assert gone("globally") == set(sorted(spots, key=lambda s: (size(s), s))[:24])
    assert gone("per_modality") == {
        s for own in (spots[:24], spots[24:]) for s in sorted(own, key=lambda s: (size(s), s))[:12]
    }


def _float32(x: float) -> float:
    import torch

    return float(torch.tensor(x, dtype=torch.float32))


# --- steps --------------------------------------------------------------------------------------------------------


def test_there_are_as_many_steps_as_the_address_knows():
    assert len(STEPS) == state.LESSON_STEPS and len(set(TITLES)) == len(TITLES)


@settings(max_examples=40, deadline=None)
@given(numbers(3), numbers(4), st.sampled_from(state.SCALES).map(float))
def test_every_step_bears_any_numbers(weights, tokens, scale):
    it = lesson(weights, tokens, scale)
    for step in STEPS:
        exercise = step.exercise(it) if step.exercise else None
        for text in (step.text(it), step.moral(it), *((exercise.question, exercise.why) if exercise else ())):
            assert len(text) >= 10 and "nan" not in text and "None" not in text and "inf" not in text.split()
            assert text.count("**") % 2 == 0
        if exercise:
            near, far = exercise.answer, exercise.answer + 1 + 0.02 * abs(exercise.answer)
            assert exercise.right(near) and not exercise.right(far)


@pytest.mark.parametrize("step", STEPS[:5], ids=TITLES[:5])
def test_a_question_mark_hides_the_answer_until_it_is_given(step):
    it = lesson()

    def shown(open_):
        return "".join(matrices.html(m) for m in step.pictures(it, open_) if isinstance(m, Matrix))

    assert shown(False).count("mf-ask") == 1 and shown(True).count("mf-ask") == 0
    answer = matrices.number(step.exercise(it).answer)
    hidden, told = (len(re.findall(rf">{re.escape(answer)}<", shown(open_))) for open_ in (False, True))
    assert told == hidden + 1


@settings(max_examples=30, deadline=None)
@given(numbers(3), numbers(4))
def test_the_answers_of_the_first_five_steps(weights, tokens):
    norms, _, s_in, s_out, meeting, score = by_hand(weights, tokens)
    expected = [norms[2], s_in[3], s_out[1], meeting[2][1], score[2][1]]
    it = lesson(weights, tokens)
    assert [step.exercise(it).answer for step in STEPS[:5]] == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_the_answers_of_the_last_exercises():
    it = lesson()
    assert [step.exercise(it).answer for step in STEPS if step.exercise][5:] == [21, 7, 8]
    assert "67 %" in STEPS[8].exercise(it).why  # the 8th of 12


def test_pruned_cells_are_not_told_by_colour_alone():
    html = matrices.html(Matrix("x", ((1.0, -2.0),), ("A",), ("1", "2"), gone=frozenset({(0, 0)})))
    assert html.count("mf-gone") == 1 and html.count(" pruned</span>") == 1 and "−2" in html


def test_text_from_outside_is_escaped():
    evil = "<script>x</script>"
    edges = dict(below=(evil, (1.0,)), right=(evil, (None,)), signs=(((0, 0), evil),))
    html = matrices.html(Matrix(evil, ((1.0,),), (evil,), (evil,), **edges))
    assert "<script>" not in html


# --- paper --------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.open, self.links, self.headings = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("src", "href", "srcset")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["h2"]:
            self.headings.append(data)


def test_the_paper_is_one_sound_file_that_fetches_nothing():
    text = printed.page(lesson(), answers=True)
    page = Page(text)
    assert not page.open and "url(" not in text and "@import" not in text and "http" not in text
    assert page.links and all(link.startswith("data:image/svg+xml;base64,") for link in page.links)
    assert page.headings == [*(f"{n}. {title}" for n, title in enumerate(TITLES, 1)), "Answers"]
    assert len(text) < 100_000 and "**" not in text and "None" not in text


def test_the_paper_for_a_class_has_no_answers():
    hidden = printed.page(lesson(), answers=False)
    assert "Answers" not in hidden and "its square root is 4" not in hidden
    assert hidden.count('class="mf-ask"') == 5  # the question marks of steps 1 to 5
    assert "its square root is 4" in printed.page(lesson(), answers=True)

"""The lesson as a session sees it."""

import re
from collections import OrderedDict

import pytest

from app import state
from app.engine import classes
from app.lesson import STEPS
from app.lesson import small_layers as service
from app.lesson.small_layers import Lesson, small, towers
from app.lesson.step import product
from app.look.words import number
from app.markup import matrices
from app.parts import session
from multiflow_core.experiments.run import Run
from multiflow_core.weights.dense import weight_of
from tests.app.conftest import texts

WEIGHTS = state.numbers_of(state.LESSON_WEIGHTS.default)
TOKENS = state.numbers_of(state.LESSON_TOKENS.default)
SCALE = float(state.SCALE.default)
TITLES = [step.title for step in STEPS]


def lesson(weights=WEIGHTS, tokens=TOKENS, scale=SCALE) -> Lesson:
    return Lesson(small(weights, tokens), towers(weights, tokens, scale))


def heading(at) -> str:
    return next(m.value for m in at.markdown if m.value.startswith("## "))


@pytest.mark.parametrize("step", range(1, 11))
def test_a_link_opens_a_step(open_page, step):
    at = open_page("learn", step=str(step))
    assert not at.exception and not at.error and not at.warning
    assert heading(at) == f"## {step}. {TITLES[step - 1]}"


def test_back_and_next(open_page):
    at = open_page("learn")
    assert at.button(key="back").disabled
    at.button(key="next").click().run()
    assert heading(at).startswith("## 2.") and not at.button(key="back").disabled
    at.button(key="back").click().run()
    assert heading(at).startswith("## 1.")
    assert open_page("learn", step="10").button(key="next").disabled


@pytest.mark.parametrize(
    "params",
    [{"step": "0"}, {"step": "11"}, {"w": "1,2;3"}, {"x": "a"}, {"w": "1e9,0,0,0;0,0,0,0;0,0,0,0"}, {"scale": "7"}],
)
def test_a_bad_address_gets_one_sentence(open_page, params):
    at = open_page("learn", **params)
    assert not at.exception and not at.error and len(at.warning) == 1


def test_numbers_in_the_address_are_worked_out(open_page):
    weights = "1,1,1,1;2,2,2,2;3,3,3,3"
    at = open_page("learn", step="3", w=weights)
    found = small(state.numbers_of(weights), TOKENS)
    assert f">{matrices.number(found.s_out[2])}</td>" in texts(at)
    at.button(key="reset").click().run()
    assert ">11.5</td>" in texts(at) and at.session_state[state.LESSON_WEIGHTS.name] == state.LESSON_WEIGHTS.default


def test_an_answer_is_checked(open_page):
    at = open_page("learn", step="2")
    assert 'mf-ask">' in texts(at)
    at.number_input(key="answer_2").set_value(11.0).run()
    assert len(at.warning) == 1 and not at.success
    at.number_input(key="answer_2").set_value(12.0).run()
    assert not at.warning and "Right!" in at.success[0].value and 'mf-ask">' not in texts(at)
    assert STEPS[1].moral(lesson()) in texts(at)


def test_the_instructor_view_keeps_answers_back(open_page):
    at = open_page("learn", step="2")
    at.toggle(key="show_2").set_value(True).run()
    assert "(9 + 24 + 3) / 3 = 12" in at.info[0].value
    at = open_page("learn", step="2", answers="hidden")
    assert at.toggle(key="hide_answers").value and "show_2" not in [t.key for t in at.toggle]
    assert "/ 3 = 12" not in texts(at)


def test_the_guessing_game(open_page):
    at = open_page("learn", step="8")
    guessed = [(0, 0), (0, 1), (0, 3), (1, 2), (2, 0), (2, 3)]  # the six smallest: B3 is the trap
    for i, j in guessed:
        assert at.button(key="reveal").disabled
        at.button(key=f"guess_{i}_{j}").click().run()
    assert at.button(key="guess_2_1").disabled and not at.button(key="guess_0_0").disabled
    at.button(key="reveal").click().run()
    said = "You chose B3, whose score is 3 × 310 = 930, and not C2, with 9 × 69 = 621."
    assert at.info[0].value == f"You found **5 of 6**; going by size alone finds 5. {said}"
    assert (texts(at).count("✓</span>"), texts(at).count("✗</span>")) == (5, 1)
    at.button(key="guess_1_2").click().run()
    assert not at.success
    at.button(key="guess_2_1").click().run()
    at.button(key="reveal").click().run()
    assert "All of them: well done!" in at.success[0].value


def test_an_answer_stays_given_when_the_numbers_change(open_page):
    at = open_page("learn", step="6")
    at.number_input(key="answer_6").set_value(21).run()
    assert "Right!" in at.success[0].value and "loses 12 of 12" in texts(at)
    at.segmented_control(key="scale").set_value("1").run()
    assert not at.success and not at.warning and "numbers have changed" in at.info[0].value and ": loses " in texts(at)
    at.number_input(key="answer_6").set_value(3).run()
    assert "Not quite" in at.warning[0].value


def test_products_come_out_even():
    """Of 12 × 108.5 = 1302 the 108.5 must not be rounded to 108."""
    changed = tuple(tuple(12.0 if (i, j) == (2, 1) else w for j, w in enumerate(row)) for i, row in enumerate(WEIGHTS))
    found = small(changed, TOKENS)
    for i, j in found.cells:
        size, place, score = re.fullmatch(r"(\S+) × (\S+) = (\S+)", product(found, (i, j))).groups()
        assert number(float(size) * float(place)) == score == number(found.score[i][j])


def test_the_game_has_no_end_in_the_instructor_view(open_page):
    at = open_page("learn", step="8", answers="hidden")
    assert "reveal" not in [button.key for button in at.button]


def test_a_real_layer_follows_the_slider(open_page):
    at = open_page("learn", step="10", sparsity="0.5")
    before = texts(at)
    at.slider(key="sparsity").set_value(0.9).run()
    assert not at.exception and before != texts(at) and "At a sparsity of 90 %" in texts(at)


def test_an_excerpt_is_a_piece_of_the_model():
    from app.engine import runs

    name = "text_encoder.encoder.layer.0.attention.self.query.weight"
    names = [layer.name for layer in runs.vlm("flatland-blip").layers]
    name = name if name in names else names[-1]
    it = service.excerpt("flatland-blip", name, 0.75)
    order = runs.order(Run("flatland-blip", "multiflow"))
    weight = weight_of(runs.vlm("flatland-blip").model, name)
    mask = order.masks(0.75)[name]
    assert it.gone == int((~mask).sum()) and it.size == weight.numel()
    assert list(it.s_in) == sorted(it.s_in, reverse=True) and list(it.s_out) == sorted(it.s_out, reverse=True)
    for a, i in enumerate(it.outputs):
        for b, j in enumerate(it.inputs):
            assert it.weights[a][b] == float(weight[i, j]) and it.kept[a][b] == bool(mask[i, j])
            assert it.score[a][b] == pytest.approx(abs(it.weights[a][b]) * it.meeting[a][b], rel=1e-5)
    smallest = weight.abs().flatten().argsort(stable=True)[: it.gone]
    assert it.otherwise == int(mask.flatten()[smallest].sum())


def test_answers_of_a_class_are_counted_without_names(open_page, monkeypatch):
    """Each session's last answer counts; only the instructor's view shows them, and which is right only when asked."""
    teacher = open_page("learn", step="2", answers="hidden")
    teacher.button(key="collect").click().run()
    code = "".join(teacher.query_params["class"])
    assert "0 answers so far" in texts(teacher)
    for who, answers in (("anna", (11.0, 12.0)), ("bert", (12.0,)), ("carl", (3.0,))):
        monkeypatch.setattr(session, "owner", lambda who=who: who)
        student = open_page("learn", **{"step": "2", "class": code})
        for answer in answers:
            student.number_input(key="answer_2").set_value(answer).run()
        assert "handed in, without a name" in texts(student) and "answers so far" not in texts(student)
    teacher.run()
    assert "3 answers so far" in texts(teacher) and "2 answered 12; 1 answered 3" in texts(teacher)
    teacher.toggle(key="told class").set_value(True).run()
    assert "2 answered 12, which is right; 1 answered 3" in texts(teacher)


def test_a_class_is_bounded_and_the_quietest_one_goes_first(monkeypatch):
    monkeypatch.setattr(classes, "_answers", OrderedDict())
    monkeypatch.setattr(classes, "MOST", 2)
    monkeypatch.setattr(classes, "SEATS", 2)
    for code in ("a", "b", "a", "c"):
        for who in range(3):
            classes.give(code, 1, who, float(who))
    assert [classes.given(code, 1) for code in "abc"] == [[(0.0, 1), (1.0, 1)], [], [(0.0, 1), (1.0, 1)]]


@pytest.mark.parametrize("step", range(1, 11))
def test_the_layer_stays_in_view_as_neurons_and_links(open_page, step):
    """Through all steps about the small layer; those about two towers and about a real layer draw their own."""
    at = open_page("learn", step=str(step))
    if step == 8:  # the game comes first
        assert "mf-drawing" not in texts(at).replace(".mf-drawing", "")
    else:
        assert ('<figure class="mf-drawing">' in texts(at)) == (step not in (6, 7, 10))

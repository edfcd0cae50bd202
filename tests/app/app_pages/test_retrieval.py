"""Retrieval as a session sees it, on the shipped checkpoint."""

import re

import pytest

from app import state
from app.engine import runs
from app.facts import gallery, rankings, truth, typed_text
from multiflow_core.experiments.run import Run
from tests.app.conftest import texts


def test_every_example_has_true_pictures(open_page):
    pictures = gallery.gallery(state.MODEL.default, "").pictures
    for example in (*typed_text.EXAMPLES, state.QUERY.default):
        assert sum(truth.of(example, pictures).true) >= 2, example


def test_an_example_is_one_click(open_page):
    at = open_page("retrieval")
    at.button(key="example_1").click().run()
    assert at.text_input(key="q").value == typed_text.EXAMPLES[1]
    assert not at.exception and "<img" in texts(at)


@pytest.mark.parametrize(
    ("query", "part", "ranked"),
    [
        ("", "Type what", False),
        ("   ", "Type what", False),
        ("?!…", "no words", False),
        ("a red giraffe", "giraffe", True),
        ("xyzzy plugh", "none of these words", False),
        ("a cat " * 100, "characters", False),
        ("<script>alert(1)</script> red", "script", True),
        ("a red boat " * 12, "reads 32 tokens, and this query has 38\\: it was cut after", True),
    ],
)
def test_queries_that_need_a_word(open_page, query, part, ranked):
    at = open_page("retrieval")
    at.text_input(key="q").set_value(query).run()
    assert not at.exception and not at.error
    assert len(at.warning) == 1 and part in at.warning[0].value
    assert ("<img" in texts(at)) == ranked
    assert "<script>" not in texts(at)


def test_a_wording_that_cannot_be_judged_is_said_so(open_page):
    at = open_page("retrieval", q="red red red")
    assert not at.exception and "cannot check this wording" in texts(at)


def test_both_rankings_mark_what_is_true(open_page):
    at = open_page("retrieval", q="a red thing at night", sparsity="0.3")
    assert texts(at).count("mf-card") >= 16
    assert "of 160" in texts(at)


def test_at_zero_sparsity_both_models_agree(open_page):
    at = open_page("retrieval", sparsity="0")
    assert "▲" not in texts(at).replace("▲ 3", "") and "▼" not in texts(at)


def test_from_picture_to_text(open_page):
    at = open_page("retrieval", direction="Image to text", scene="12")
    assert not at.exception and not at.error
    assert texts(at).count("<li") == 16


@pytest.mark.parametrize("page", ["retrieval", "two_runs"])
def test_the_first_are_ranked_again_by_the_matching_head(open_page, page):
    at = open_page(page, rerank="8", q="a red car", method="omp", sparsity="0.5")
    assert not at.exception and not at.error and not at.warning
    assert texts(at).count("probability by the matching head") >= 12
    key, dense = Run(state.MODEL.default, "omp", 0.5), runs.vlm(state.MODEL.default)
    nearest, again = gallery.text_scores(key, "a red car"), gallery.text_ranking(key, "a red car", 8)
    first = sorted(range(len(nearest)), key=lambda i: -nearest[i])[:8]
    assert sorted(i for i, score in enumerate(again) if score > 1) == sorted(first)
    assert [score for i, score in enumerate(again) if i not in first] == [
        s for i, s in enumerate(nearest) if i not in first
    ]
    pictures = gallery.gallery(state.MODEL.default, "").pictures
    alone = runs.pruned(key).match([pictures[first[0]].seen_by(dense)], ["a red car"]).item()
    assert again[first[0]] == pytest.approx(1 + alone, abs=1e-4)


def test_the_lead_is_told_in_probabilities_where_the_matching_head_has_seen_all_four(open_page):
    found = rankings.sought([[1.9, 1.1, 0.3], [1.6, 1.5, 0.3]], ["a", "b", "c"], [True, False, False], "picture")
    gaps = found.gaps("OMP")
    assert gaps.score == "probability by the matching head"
    assert gaps.dense == pytest.approx((0.9, 0.1)) and gaps.pruned == pytest.approx((0.6, 0.5))
    mixed = rankings.sought([[1.9, 1.1, 0.3], [0.6, 1.5, 0.3]], ["a", "b", "c"], [True, False, False], "picture")
    assert mixed.gaps("OMP") is None
    at = open_page("retrieval", q="a red car")  # as a newcomer sees it
    lead = next(title for title in (m.value for m in at.markdown) if "leads by" in title)
    assert all(0 <= float(part) <= 1 for part in re.findall(r"\d\.\d+", lead.replace("\\", "")))


def test_without_a_matching_head_nothing_is_ranked_again(open_page, monkeypatch):
    monkeypatch.setattr(gallery, "matches", lambda model, progress: False)
    at = open_page("retrieval", rerank="8", q="a red car")
    assert "no matching head" in texts(at) and "probability by the matching head" not in texts(at)

"""The sidebar's choice between a model as it was pruned and one that was fine-tuned afterwards."""

import re

import pytest

NEAREST = "Fine-tuned are OMP at 75 %: showing 75 %. Pictures of Paperland, which it has learnt."


def said(at) -> str:
    return "\n".join(part.value for part in (*at.caption, *at.markdown)).replace("\u00a0", " ").replace("\\", "")


def html(at) -> str:
    return "\n".join(element.proto.body for element in at.get("html")).replace("\u00a0", " ")


@pytest.mark.usefixtures("taught", "empty_store")
class TestSwitch:
    @pytest.mark.parametrize("page", ["captioning", "vqa", "retrieval", "two_runs"])
    def test_a_page_shows_what_was_taught(self, open_page, page):
        at = open_page(page, method="omp", form="tuned")
        assert not at.exception and not at.error
        assert NEAREST in said(at)
        assert "OMP (fine-tuned) at 75 %" in said(at) + html(at)

    def test_it_is_as_pruned_unless_asked_for(self, open_page):
        at = open_page("captioning", method="omp")
        assert at.button_group(key="form").value == "pruned" and "fine-tuned" not in html(at)
        at.button_group(key="form").set_value("tuned").run()
        assert "The dense model (fine-tuned) says" in html(at) and at.query_params["form"] == "tuned"

    @pytest.mark.parametrize(
        ("page", "told"), [("captioning", ", before it was fine-tuned, says"), ("vqa", ", before, answers")]
    )
    def test_what_it_said_before_stands_beside_it(self, open_page, page, told):
        at = open_page(page, method="omp", form="tuned")
        assert not at.exception and not at.error and f"OMP at 75 %{told}" in html(at)

    def test_a_method_that_was_not_taught_is_shown_as_pruned(self, open_page):
        at = open_page("captioning", method="wanda", form="tuned")
        assert "Fine-tuned are OMP at 75 %: this run is shown as pruned." in said(
            at
        ) and "The dense model says" in html(at)

    @pytest.mark.parametrize(("page", "key", "begins"), [("retrieval", "q", ""), ("vqa", "ask", "how many")])
    def test_a_text_of_what_it_has_learnt_stands_there_until_somebody_types(self, open_page, page, key, begins):
        at = open_page(page, method="omp")
        default = at.text_input(key=key).value
        at.button_group(key="form").set_value("tuned").run()
        proposed = at.text_input(key=key).value
        assert (
            proposed != default and proposed.startswith(begins) and proposed in [button.label for button in at.button]
        )
        at.button_group(key="form").set_value("pruned").run()
        assert at.text_input(key=key).value == default
        at.text_input(key=key).set_value("is there a cat").run()
        at.button_group(key="form").set_value("tuned").run()
        assert at.text_input(key=key).value == "is there a cat"
        assert open_page(page, method="omp", form="tuned", **{key: default}).text_input(key=key).value == default

    def test_pages_about_weights_do_not_ask(self, open_page):
        assert "form" not in [group.key for group in open_page("layers", method="omp").button_group]

    def test_two_runs_holds_it_against_what_it_was_before(self, open_page):
        at = open_page("two_runs", method="omp", form="tuned")
        assert "OMP (fine-tuned) at 75 %" in said(at) and "OMP at 75 %" in said(at)

    def test_a_pin_of_what_is_not_there_is_refused(self, open_page):
        at = open_page("two_runs", a="flatland-blip,omp,own,0.9,data=paperland,form=tuned")
        assert any("pins a model that does not come with the lab" in warning.value for warning in at.warning)


@pytest.mark.usefixtures("shrunk", "empty_store")
class TestSmaller:
    @pytest.mark.parametrize(("page", "work"), [("captioning", "Describing"), ("retrieval", "Looking at")])
    def test_a_smaller_model_says_how_long_it_took(self, open_page, page, work):
        at = open_page(page, form="smaller")
        assert not at.exception and not at.error
        assert "Smaller are MULTIFLOW at 50 %: showing 50 %." in said(at)
        assert "MULTIFLOW (hidden units) at 50 %" in said(at) + html(at)
        told = re.search(
            work + r" 16 pictures.* took the dense model ([\d.]+) m?s and this one ([\d.]+) m?s",
            said(at).replace("\\", ""),
        )
        assert told and float(told[1]) > 0 and float(told[2]) > 0

    def test_two_runs_compares_only_what_it_does(self, open_page):
        at = open_page("two_runs", form="smaller")
        assert not at.exception and not at.error
        assert any("A smaller model has other matrices" in info.value for info in at.info)


@pytest.mark.usefixtures("empty_store")
class TestLearntByTuningAlone:
    @pytest.mark.parametrize(("page", "says"), [("captioning", "says"), ("vqa", "answers")])
    def test_a_task_is_offered_fine_tuned_and_shown(self, open_page, page, says):
        at = open_page(page, model="flatland-xvlm")
        assert any("It can be tried under Retrieval." in info.value for info in at.info)
        next(button for button in at.button if button.label == "Show it fine-tuned").click().run()
        assert not at.exception and not at.error and not at.info
        assert at.query_params["form"] == "tuned" and f"The dense model (fine-tuned) {says}" in html(at)
        assert ", before" not in html(at)

    def test_it_is_not_offered_of_a_method_that_was_not_taught(self, open_page):
        at = open_page("vqa", model="flatland-xvlm", method="wanda")
        assert "Show it fine-tuned" not in [button.label for button in at.button]


def test_a_model_without_any_says_so(open_page, assets):
    at = open_page("captioning", form="tuned")
    assert any("flatland-blip does not come fine-tuned or smaller" in warning.value for warning in at.warning)

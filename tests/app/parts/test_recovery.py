"""The sidebar's choice between a model as it was pruned and one that was fine-tuned afterwards."""

import pytest

NEAREST = "Fine-tuned are OMP at 75 %: shown at 75 %. Pictures of Paperland, which it has learnt."


def said(at) -> str:
    return "\n".join(part.value for part in (*at.caption, *at.markdown)).replace("\u00a0", " ")


def html(at) -> str:
    return "\n".join(element.proto.body for element in at.get("html")).replace("\u00a0", " ")


@pytest.mark.usefixtures("taught", "empty_store")
class TestSwitch:
    @pytest.mark.parametrize("page", ["captioning", "vqa", "retrieval", "two_runs"])
    def test_a_page_shows_what_was_taught(self, open_page, page):
        at = open_page(page, method="omp", tuned="yes")
        assert not at.exception and not at.error
        assert NEAREST in said(at)
        assert "OMP (fine-tuned) at 75 %" in said(at) + html(at)

    def test_it_is_as_pruned_unless_asked_for(self, open_page):
        at = open_page("captioning", method="omp")
        assert at.button_group(key="tuned").value == "no" and "fine-tuned" not in html(at)
        at.button_group(key="tuned").set_value("yes").run()
        assert "The dense model (fine-tuned) says" in html(at) and at.query_params["tuned"] == "yes"

    def test_a_method_that_was_not_taught_is_shown_as_pruned(self, open_page):
        at = open_page("captioning", method="wanda", tuned="yes")
        assert "Fine-tuned are OMP at 75 %: this run is shown as pruned." in said(
            at
        ) and "The dense model says" in html(at)

    def test_pages_about_weights_do_not_ask(self, open_page):
        assert "tuned" not in [group.key for group in open_page("layers", method="omp").button_group]

    def test_two_runs_holds_it_against_what_it_was_before(self, open_page):
        at = open_page("two_runs", method="omp", tuned="yes")
        assert "OMP (fine-tuned) at 75 %" in said(at) and "OMP at 75 %" in said(at)

    def test_a_pin_of_what_is_not_there_is_refused(self, open_page):
        at = open_page("two_runs", a="flatland-blip,omp,own,0.9,data=paperland,tuned=yes")
        assert any("pins a fine-tuned run that is not there" in warning.value for warning in at.warning)


def test_a_model_without_any_says_so(open_page, assets):
    at = open_page("captioning", tuned="yes")
    assert any("There is no fine-tuned flatland-blip" in warning.value for warning in at.warning)

"""Words are explained where they are used."""

from app.parts import glossary
from tests.app.conftest import texts


def test_words_of_a_text_are_found_whole_and_in_the_plural():
    found = glossary.used("Masks of two methods; the norms. Unmasked, densely, nested.")
    assert [line.split("**")[1] for line in found.split("  \n")] == ["mask", "nested", "norm"]
    assert glossary.used("Nothing here.") == "" and glossary.used("Every weight of a layer") == ""


def test_a_chart_explains_its_words(open_page):
    at = open_page("flow")
    assert glossary.meanings()["saliency"] in texts(at)

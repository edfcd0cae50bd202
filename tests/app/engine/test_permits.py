"""lab.toml: what it may say, what visitors may open, and that a refusal tells nothing about the server's disk."""

import re

import pytest

from app import state
from app.engine import permits
from app.engine.permits import REFUSAL, Permits, read
from tests.app.conftest import texts


@pytest.fixture
def open_to_all(monkeypatch, tmp_path):
    """A server that others reach, which lets them open what lies below a folder, and some names of the hub."""
    (tmp_path / "models" / "clip").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "models" / "way out").symlink_to(tmp_path / "secret")
    (tmp_path / "way in").symlink_to(tmp_path / "models")
    allowed = Permits("0.0.0.0", folders=(str(tmp_path / "models"),), hub=("openai/*",))
    monkeypatch.setattr(permits, "here", lambda: allowed)
    return allowed


def test_the_file_says_what_is_allowed(tmp_path):
    file = tmp_path / "lab.toml"
    assert read(file, "0.0.0.0") == Permits("0.0.0.0")
    file.write_text('hosts = ["a.org"]\nfolders = ["/m"]\nhub = ["x/*"]\nmetrics = true\npictures = 3\nmegabytes = 1\n')
    assert read(file) == Permits("", ("a.org",), ("/m",), ("x/*",), True, 3, 1)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('host = ["a.org"]', "says host, but it may say"),
        ('address = "0.0.0.0"', "says address, but it may say"),
        ('hosts = "a.org"', "hosts in {file} is a list of texts"),
        ("folders = [1]", "folders in {file} is a list of texts"),
        ("metrics = 1", "metrics in {file} is true or false"),
        ("pictures = true", "pictures in {file} is a whole number from 1"),
        ("megabytes = 0", "megabytes in {file} is a whole number from 1"),
        ("hosts = [", "cannot be read"),
        ("\udcff", "cannot be read"),
    ],
)
def test_nonsense_is_a_sentence(tmp_path, text, part):
    file = tmp_path / "lab.toml"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match=re.escape(part.format(file=file))):
        read(file)


def test_a_folder_in_its_place_is_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("asked", "may"),
    [
        ("models/clip", True), ("models", True), ("way in/clip", True), ("models/nothing", True),
        ("models/../secret", False), ("models/way out", False), ("secret", False), ("models2", False), ("", False),
    ],
)  # fmt: skip
def test_folders_are_judged_by_where_they_lie(open_to_all, tmp_path, asked, may):
    assert open_to_all.may_open(str(tmp_path / asked)) == may


@pytest.mark.parametrize(
    ("asked", "may"),
    [
        ("openai/clip", True), ("openai2/clip", False), ("OpenAI/clip", False), ("/openai/clip", False), ("clip", False),
        ("openai/../../etc", False), ("openai/..", False), ("openai/a/b", False),
        ("~", False), ("~nosuchuser/x", False), ("a\0b", False), ("x" * 5000, False), ("", False),
    ],
)  # fmt: skip
def test_hub_names_are_patterns(open_to_all, asked, may):
    assert open_to_all.may_open(asked) == may


def test_a_folder_that_is_called_like_a_hub_name_is_none(open_to_all, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "openai" / "clip").mkdir(parents=True)
    assert not open_to_all.may_open("openai/clip")


def test_on_this_machine_everything_may_be_opened():
    assert all(Permits(address).may_open("/etc") for address in ("", "localhost", "127.0.0.1", "::1"))
    assert not any(Permits(address).may_open("/etc") for address in ("0.0.0.0", "::", "192.168.1.5"))


OUTSIDE = ("secret", "nothing", "models/../secret", "models/way out", "file")


@pytest.mark.parametrize("asked", [*OUTSIDE, "~", "~root", "~nosuchuser", ".", "owner/model", "a\0b"])
def test_every_refusal_reads_the_same(open_page, open_to_all, tmp_path, asked):
    (tmp_path / "file").touch()
    address = str(tmp_path / asked) if asked in OUTSIDE else asked
    at = open_page(model=address)
    (said,) = (warning.value.replace("\\", "") for warning in at.warning)
    assert said == f"The model of the address cannot be opened. {REFUSAL} Showing {state.MODEL.default}."
    at.button(key="open_model").click().run()
    at.text_input(key="open_name").set_value(address)
    at.button(key="open_typed").click().run()
    assert [error.value.replace("\\", "") for error in at.error] == [REFUSAL]
    assert address not in texts(at) or len(address) < 3


def test_nor_do_pinned_runs_tell(open_page, open_to_all, tmp_path):
    (tmp_path / "secret").mkdir(exist_ok=True)
    said = set()
    for asked in ("secret", "nothing"):
        at = open_page("two_runs", a=f"{tmp_path / asked},omp,own,0.5")
        said |= {warning.value.replace(asked, "") for warning in at.warning}
        assert not at.exception and not at.error
    assert len(said) == 1

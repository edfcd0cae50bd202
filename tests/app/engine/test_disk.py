"""What is kept on disk: by content, bounded, and never in the way."""

import os
import sqlite3
import subprocess
import sys

import pytest
import torch

from app.engine import disk, runs
from app.engine.disk import Disk
from app.engine.store import STORE
from app.facts import gallery
from benchmarks.models import save
from multiflow_core.experiments.run import Run
from multiflow_core.models.vlm import VLM

MODEL = "flatland-blip"


@pytest.fixture
def cache(tmp_path, monkeypatch, empty_store):
    """An empty folder, used by this test alone."""
    monkeypatch.setenv("MULTIFLOW_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


@pytest.fixture
def asked(monkeypatch):
    """How often a model was asked for anything."""
    calls = []
    for name in ("answer", "caption", "embed_images", "embed_texts", "match"):
        held = getattr(VLM, name)
        monkeypatch.setattr(VLM, name, lambda self, *given, n=name, f=held: calls.append(n) or f(self, *given))
    return calls


def everything() -> tuple:
    """One of each that is kept."""
    key, picture = Run(MODEL, "omp", 0.5), gallery.picture("", 5)
    return (
        gallery.answer(key, picture, "what color is the house"),
        gallery.caption(key, picture),
        gallery.text_ranking(key, "a red cat", 8),
        gallery.image_scores(key, picture, ("a cat",)),
        gallery.image_embeddings(key),
        gallery.caption_embeddings(key),
    )


def test_a_new_server_asks_nothing_twice_and_says_the_same(cache, asked):
    first = everything()
    assert asked
    STORE.clear()
    gallery.gallery(MODEL, "")  # how many pictures it has depends on what one costs, which is tried
    asked.clear()
    again = everything()
    assert not asked and not runs.passed.holds(Run(MODEL, "omp", 0.5)) and not runs.stayed.holds(Run(MODEL, "omp", 0.5))
    assert gallery.at_hand(Run(MODEL, "omp", 0.5)) and not gallery.at_hand(Run(MODEL, "omp", 0.51))
    assert again[:4] == first[:4]
    assert all(torch.equal(a, b) for a, b in zip(first[4:], again[4:]))


def test_another_run_another_picture_or_another_question_is_another_answer(cache, asked):
    picture = gallery.picture("", 5)
    key = Run(MODEL, "omp", 0.5)
    gallery.answer(key, picture, "where is this")
    for other in (
        (key.at(0.6), picture, "where is this"),
        (Run(MODEL, "localmp", 0.5), picture, "where is this"),
        (Run(MODEL, "omp", 0.5, fixed="text=dense"), picture, "where is this"),
        (key, gallery.picture("", 6), "where is this"),
        (key, picture, "how many things are there"),
    ):
        asked.clear()
        gallery.answer(*other)
        assert asked == ["answer"]


def test_other_weights_under_the_same_name_are_another_model(cache, asked, assets):
    for seed in (0, 1):
        torch.manual_seed(seed)
        (assets / "changing").mkdir(exist_ok=True)
        save("blip-base-vqa", assets / "changing", small=True)
        STORE.clear()
        asked.clear()
        gallery.answer(Run.dense("changing"), gallery.picture("", 5), "where is this")
        assert "answer" in asked


def test_the_least_recently_used_goes_first(tmp_path):
    table = Disk(tmp_path / "some.sqlite", limit=100)
    for name in "abc":
        table.put(name, name.encode() * 30)
    assert table.get("a") == b"a" * 30
    table.put("d", b"d" * 30)
    assert [table.get(name) is not None for name in "abcd"] == [True, False, True, True]
    assert table.size == 90
    table.clear()
    assert table.size == 0 and table.get("a") is None


def test_two_servers_share_one_file(tmp_path):
    one, other = Disk(tmp_path / "some.sqlite"), Disk(tmp_path / "some.sqlite")
    one.put("a", b"1")
    assert other.get("a") == b"1"
    other.put("a", b"2")
    assert one.get("a") == b"2"


def test_a_broken_file_is_begun_anew_and_a_broken_row_is_made_again(tmp_path, cache, asked):
    file = tmp_path / "some.sqlite"
    file.write_bytes(b"no database at all, but long enough to be taken for one" * 40)
    table = Disk(file)
    assert table.get("a") is None
    table.put("a", b"1")
    assert table.get("a") == b"1"
    picture, key = gallery.picture("", 5), Run.dense(MODEL)
    said = gallery.answer(key, picture, "where is this")
    with sqlite3.connect(cache / disk.FILE) as rows:
        rows.execute("UPDATE kept SET value = ?", (b"{",))
    STORE.clear()
    asked.clear()
    assert gallery.answer(key, picture, "where is this") == said and "answer" in asked


def test_where_nothing_can_be_written_all_goes_on_without(tmp_path):
    (tmp_path / "file").write_text("")
    table = Disk(tmp_path / "file" / "some.sqlite")
    table.put("a", b"1")
    assert table.get("a") is None and table.size == 0


def test_a_server_that_is_killed_while_it_writes_leaves_a_file_that_can_be_read(tmp_path):
    script = (
        "import os, sys; from pathlib import Path; from app.engine.disk import Disk\n"
        "table = Disk(Path(sys.argv[1]))\n"
        "for n in range(50): table.put(str(n), bytes(1000))\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "some.sqlite")], cwd=os.getcwd(), check=False)
    table = Disk(tmp_path / "some.sqlite")
    assert table.get("49") == bytes(1000)
    table.put("new", b"1")
    assert table.get("new") == b"1"

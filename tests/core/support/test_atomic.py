"""Files are written whole or not at all, and nothing else is left behind."""

import errno
import os
import stat
import subprocess
import threading

import pytest

from multiflow_core.support.atomic import whole, write_text


def names(folder) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])  # Streamlit's exceptions are no Exceptions either
def test_whatever_is_raised_leaves_the_old_file_and_nothing_else(tmp_path, error):
    file = write_text(tmp_path / "a.txt", "old")

    def write_half():
        with whole(file) as place:
            place.write_text("half of the ne")
            raise error

    with pytest.raises(error):
        write_half()
    assert file.read_text() == "old" and names(tmp_path) == ["a.txt"]


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path):
    file = write_text(tmp_path / "a.txt", "old")
    with whole(file) as place:
        place.write_text("new")
        assert file.read_text() == "old"
        assert place.parent == file.parent  # a rename from another file system would not be atomic
    assert file.read_text() == "new" and names(tmp_path) == ["a.txt"]


def test_what_cannot_take_the_name_leaves_nothing(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_text(tmp_path / "taken", "text")
    assert names(tmp_path) == ["taken"]


def test_folders_are_made_and_text_is_utf_8(tmp_path):
    file = write_text(tmp_path / "b" / "c" / "a.txt", "Größe ≥ 3\n")
    assert file == tmp_path / "b" / "c" / "a.txt" and file.read_bytes() == "Größe ≥ 3\n".encode()


def test_others_may_read_what_is_written(tmp_path):
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(write_text(tmp_path / "a", "").stat().st_mode) == 0o666 & ~umask


def test_writers_at_the_same_time_do_not_mix(tmp_path):
    texts = [letter * 10_000 for letter in "abcd"]
    threads = [threading.Thread(target=write_text, args=(tmp_path / "a.txt", text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a.txt").read_text() in texts and names(tmp_path) == ["a.txt"]


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = tmp_path / f".a.txt.{dead.pid}.0123abcd.part"
    ours = tmp_path / f".a.txt.{os.getpid()}.0123abcd.part"
    others = tmp_path / f".b.txt.{dead.pid}.0123abcd.part"
    for file in (left, ours, others):
        file.write_text("half")
    write_text(tmp_path / "a.txt", "new")
    assert names(tmp_path) == sorted(["a.txt", ours.name, others.name])  # another writer's, and another file's, stay


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    def write(fails):
        with whole(tmp_path / "model") as place:
            place.mkdir()
            (place / "config.json").write_text("{}")
            if fails:
                raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        write(True)
    assert not names(tmp_path)
    write(False)
    assert names(tmp_path / "model") == ["config.json"]


def test_what_the_system_said_is_an_os_error_whoever_wrote(tmp_path):
    with pytest.raises(OSError, match="No space left") as caught, whole(tmp_path / "a"):
        raise Exception("No space left on device (os error 28)")
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(KeyError), whole(tmp_path / "a"):
        raise KeyError("a")
    assert not names(tmp_path)


def test_into_a_folder_that_is_there_only_what_was_written_is_replaced(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "results.json").write_text("mine")
    (folder / "config.json").write_text("old")
    with whole(folder) as place:
        place.mkdir()
        (place / "config.json").write_text("new")
    assert {file.name: file.read_text() for file in folder.iterdir()} == {"results.json": "mine", "config.json": "new"}
    assert names(tmp_path) == ["model"]

"""Tensors in files: exactly what was given, or a sentence."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from multiflow_core.support.files import read_safetensors, write_safetensors


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.bool, torch.uint8])
def test_tensors_come_back_as_they_were(tmp_path, dtype):
    tensor = (torch.arange(12).reshape(3, 4) % 2).to(dtype)
    file = write_safetensors(tmp_path / "x", {"whole": tensor, "turned": tensor.T}, {"kind": "a test"})
    found, metadata = read_safetensors(file)
    assert metadata == {"kind": "a test"} and found.keys() == {"whole", "turned"}
    assert found["whole"].dtype == dtype and torch.equal(found["whole"], tensor)
    assert torch.equal(found["turned"], tensor.T)


def test_others_may_read_what_is_written(tmp_path):
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(write_safetensors(tmp_path / "a", {}, {}).stat().st_mode) == 0o666 & ~umask


def test_what_cannot_be_written_leaves_the_file_before(tmp_path):
    file = write_safetensors(tmp_path / "x", {"a": torch.ones(1)}, {})
    with pytest.raises(TypeError):
        write_safetensors(file, {"a": torch.zeros(1)}, {"samples": 3})
    assert read_safetensors(file)[0]["a"].tolist() == [1.0] and list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    "spoil", [lambda data: b"", lambda data: b"text", lambda data: data[:-1], lambda data: data[9:]]
)
def test_what_is_no_such_file_is_a_value_error_with_its_name(tmp_path, spoil):
    file = write_safetensors(tmp_path / "x.safetensors", {"a": torch.ones(4)}, {})
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(ValueError, match="x.safetensors is not a readable safetensors file"):
        read_safetensors(file)


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_safetensors(tmp_path / "none")


@settings(deadline=None)
@given(
    st.dictionaries(st.text(min_size=1).filter(lambda key: key not in ("checksum", "sealed")), st.text(), max_size=6)
)
def test_the_same_content_is_the_same_bytes(metadata):
    """Safetensors writes metadata in no fixed order, and any text may be in it."""
    with tempfile.TemporaryDirectory() as folder:
        files = [
            write_safetensors(Path(folder) / str(n), {"b": torch.ones(3), "a": torch.zeros(0)}, given)
            for n, given in enumerate((metadata, dict(reversed(metadata.items()))))
        ]
        assert files[0].read_bytes() == files[1].read_bytes()
        assert read_safetensors(files[0])[1] == metadata


@settings(deadline=None)
@given(st.integers(0, 400), st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_noticed(place, bit):
    with tempfile.TemporaryDirectory() as folder:
        tensors = {"a": torch.arange(30.0), "b": torch.ones(2, 3)}
        file = write_safetensors(Path(folder) / "x", tensors, {"kind": "a test"})
        data = bytearray(file.read_bytes())
        data[place % len(data)] ^= 1 << bit
        file.write_bytes(data)
        with suppress(ValueError):  # or a blank of the header became another blank
            found, metadata = read_safetensors(file)
            assert metadata == {"kind": "a test"} and found.keys() == tensors.keys()
            assert all(torch.equal(tensor, tensors[name]) for name, tensor in found.items())


def test_a_file_from_before_there_were_checksums_opens_with_a_note(tmp_path):
    save_file({"a": torch.ones(1)}, tmp_path / "old", {"kind": "old"})
    with pytest.warns(UserWarning, match="old has no checksum"):
        found, metadata = read_safetensors(tmp_path / "old")
    assert found["a"].item() == 1 and metadata == {"kind": "old"}

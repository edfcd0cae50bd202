"""Tensors in files: exactly what was given, or a sentence."""

import pytest
import torch

from multiflow_core.support.files import read_safetensors, write_safetensors


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.bool, torch.uint8])
def test_tensors_come_back_as_they_were(tmp_path, dtype):
    tensor = (torch.arange(12).reshape(3, 4) % 2).to(dtype)
    file = write_safetensors(tmp_path / "x", {"whole": tensor, "turned": tensor.T}, {"kind": "a test"})
    found, metadata = read_safetensors(file)
    assert metadata == {"kind": "a test"} and found.keys() == {"whole", "turned"}
    assert found["whole"].dtype == dtype and torch.equal(found["whole"], tensor)
    assert torch.equal(found["turned"], tensor.T)


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

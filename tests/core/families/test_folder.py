"""What `mf.load` refuses, in one sentence each, and what it does with a name of the hub."""

import http.server
import json
import pickle
import shutil
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from PIL import Image
from safetensors.torch import load_file, save_file

import multiflow_core as mf
from benchmarks.models import save
from benchmarks.zoo import published
from multiflow_core.families import folder as folders
from multiflow_core.families import hub
from multiflow_core.models.vlm import BUILT_IN
from multiflow_core.support import network
from multiflow_core.support.memory import available_memory, machine_memory


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return save("clip-b32", tmp_path_factory.mktemp("clip"), small=True)


@pytest.fixture
def copy(clip, tmp_path):
    return Path(shutil.copytree(clip, tmp_path / "clip"))


def message(folder, error=ValueError, **options):
    """The error's text, which must be one sentence: one line, ending with a full stop."""
    with pytest.raises(error) as caught:
        mf.load(folder, **options)
    text = str(caught.value)
    assert "\n" not in text and text.endswith(".") and 30 < len(text) < 400, text
    return text


def change_config(folder, **values):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def change_weights(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


# --- folders --------------------------------------------------------------------------------------------------------


def test_no_folder_and_no_model(tmp_path, clip):
    assert all(name in message(tmp_path / "nothing", FileNotFoundError) for name in BUILT_IN)
    assert "config.json" in message(tmp_path, FileNotFoundError)
    assert "is a file" in message(clip / "config.json", FileNotFoundError)


@pytest.mark.parametrize("text", ["{", "[]", "\xff"])
def test_a_config_that_is_none(copy, text):
    (copy / "config.json").write_bytes(text.encode("latin-1"))
    assert "config.json" in message(copy)


@pytest.mark.parametrize("held", [["GPT5"], ["BertModel"]])
def test_unknown_architectures(copy, held):
    change_config(copy, architectures=held)
    assert "no family knows" in message(copy)


@pytest.mark.parametrize("kind", ["bert", "nothing", 3, None])
@pytest.mark.parametrize("held", [[], None])
def test_neither_an_architecture_nor_a_kind_that_is_known(copy, kind, held):
    change_config(copy, architectures=held, model_type=kind)
    assert "no family knows" in message(copy)


def test_missing_weights_are_counted(copy):
    def drop(tensors):
        for name in ("text_projection.weight", "visual_projection.weight", "logit_scale"):
            del tensors[name]

    change_weights(copy, drop)
    text = message(copy)
    assert "lacks logit_scale (3 such tensors)" in text and "CLIPModel" in text


def test_weights_of_another_shape(copy):
    change_weights(copy, lambda tensors: tensors.update({"text_projection.weight": torch.zeros(4, 32)}))
    assert "text_projection.weight" in message(copy)


def test_a_config_of_a_smaller_model_than_the_file_holds(copy):
    config = json.loads((copy / "config.json").read_text())
    change_config(copy, text_config=config["text_config"] | {"num_hidden_layers": 1})
    assert "text_model.encoder.layers.1" in message(copy)


def test_tensors_of_other_versions_are_ignored(copy):
    change_weights(copy, lambda tensors: tensors.update({"text_model.embeddings.position_ids": torch.arange(4)}))
    assert mf.load(copy).tasks == ("retrieval",)


def test_no_weights(copy):
    (copy / "model.safetensors").unlink()
    assert "model.safetensors" in message(copy, FileNotFoundError)


@pytest.mark.parametrize("keep", [0, 5, 300, -1])
def test_damaged_safetensors(copy, keep):
    file = copy / "model.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    assert "safetensors" in message(copy)


def test_pickled_weights(copy):
    """Tensors in a pickle are read; anything else could run code, and does not."""
    tensors = load_file(copy / "model.safetensors")
    (copy / "model.safetensors").unlink()
    torch.save(tensors, copy / "pytorch_model.bin")
    assert torch.equal(mf.load(copy).model.text_projection.weight, tensors["text_projection.weight"])

    class Attack:
        def __reduce__(self):
            return Path.touch, (copy / "ran",)

    torch.save(tensors | {"extra": Attack()}, copy / "pytorch_model.bin")
    assert "could run code" in message(copy)
    (copy / "pytorch_model.bin").write_bytes(pickle.dumps(Attack(), protocol=2))
    assert "pytorch_model.bin" in message(copy)
    assert not (copy / "ran").exists()


@pytest.mark.parametrize("keep", [0, 100, -100])
def test_damaged_pickles(copy, keep):
    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    file = copy / "pytorch_model.bin"
    file.write_bytes(file.read_bytes()[:keep])
    assert str(copy) in message(copy)


@pytest.mark.parametrize("change", [{"hidden_size": "wide"}, {"num_attention_heads": 5}, {"intermediate_size": -1}])
def test_a_config_that_makes_no_model(copy, change):
    config = json.loads((copy / "config.json").read_text())
    change_config(copy, text_config=config["text_config"] | change)
    assert str(copy) in message(copy)


def test_weights_in_several_files(copy):
    tensors = load_file(copy / "model.safetensors")
    (copy / "model.safetensors").unlink()
    names = sorted(tensors)
    halves = {"model-00001-of-00002.safetensors": names[:20], "model-00002-of-00002.safetensors": names[20:]}
    for file, part in halves.items():
        save_file({name: tensors[name] for name in part}, copy / file, {"format": "pt"})
    index = {"weight_map": {name: file for file, part in halves.items() for name in part}, "metadata": {}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    assert torch.equal(mf.load(copy).model.text_projection.weight, tensors["text_projection.weight"])
    assert folders.memory_needed(copy) == sum(t.numel() * t.itemsize for t in tensors.values())
    (copy / "model-00002-of-00002.safetensors").unlink()
    assert "model-00002-of-00002" in message(copy, FileNotFoundError)
    (copy / "model.safetensors.index.json").write_text("{}")
    assert "index.json" in message(copy)


def test_quantised_models_are_refused(copy):
    change_config(copy, quantization_config={"quant_method": "compressed-tensors"})
    assert "original weights" in message(copy)


def test_a_model_larger_than_the_memory_left(copy, monkeypatch):
    needed = folders.memory_needed(copy, torch.float32)
    parameters = sum(t.numel() for t in load_file(copy / "model.safetensors").values())
    assert needed == 4 * parameters
    assert folders.memory_needed(copy, torch.bfloat16) == 2 * parameters
    monkeypatch.setattr(folders, "available_memory", lambda: folders.MARGIN + needed - 1)
    assert "GB" in message(copy)
    assert mf.load(copy, dtype=torch.bfloat16).model.dtype == torch.bfloat16
    monkeypatch.setattr(folders, "available_memory", lambda: folders.MARGIN + needed)
    assert mf.load(copy)


@pytest.mark.parametrize("device", ["tpu", "cuda:99", "no device"])
def test_a_device_that_is_not_there(device):
    with pytest.raises(ValueError, match=rf"no device '{device}' here: choose cpu"):
        mf.load("flatland-blip", device=device)


def test_a_model_larger_than_the_memory_of_the_device(copy, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(torch.nn.Module, "to", full)
    with pytest.raises(ValueError, match="does not fit into the memory of cpu"):
        mf.load(copy)


def test_available_memory_is_plausible():
    assert 2**28 < available_memory() <= machine_memory() < 2**44


def test_loading_a_folder_asks_nobody(copy, monkeypatch):
    """Not even whether the internet is there: transformers would, and wait for minutes."""

    def refuse(*args, **kwargs):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert mf.load(copy)


# --- names of the hub -----------------------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return tmp_path / "cache"


def test_offline_by_choice(cache, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in message("openai/clip-vit-base-patch32", ConnectionError)


def quickly(call, seconds=3.0):
    """The hub has 1.5 s to answer; the rest is for a busy machine."""
    assert network.PATIENCE < 2
    began = time.monotonic()
    found = call()
    assert time.monotonic() - began < seconds
    return found


def test_no_name_server(cache, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: time.sleep(5) or [])
    text = quickly(lambda: message("openai/clip-vit-base-patch32", ConnectionError))
    assert "cannot be reached" in text and "hf download openai/clip-vit-base-patch32" in text


def test_a_server_that_never_answers(cache, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        assert "cannot be reached" in quickly(lambda: message("openai/clip-vit-base-patch32", ConnectionError))


def test_a_fresh_process_says_it_within_two_seconds_of_its_imports(tmp_path):
    """With an address that nothing answers at; imports are timed apart, they depend on the disk."""
    script = """
        import time, huggingface_hub, multiflow_core.models.vlm
        began = time.monotonic()
        try:
            multiflow_core.load("openai/clip-vit-base-patch32")
        except ConnectionError as error:
            print(time.monotonic() - began, "cannot be reached" in str(error))
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        environment = {
            "HF_ENDPOINT": f"http://127.0.0.1:{server.getsockname()[1]}", "HF_HOME": str(tmp_path), "PATH": "/usr/bin",
        }  # fmt: skip
        root = Path(mf.__file__).parent.parent
        ran = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)], env=environment, cwd=root, capture_output=True, text=True
        )
    seconds, right = ran.stdout.split()
    assert right == "True"
    assert float(seconds) < 3.0


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the hub as a download needs, over one folder."""

    folder: Path
    asked: list

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        self.asked.append(self.path)
        if self.path.startswith("/api/models/owner/model"):
            files = [{"rfilename": file.name, "size": file.stat().st_size} for file in self.folder.iterdir()]
            files.append({"rfilename": "tf_model.h5", "size": 10**9})
            return self.send(json.dumps({"id": "owner/model", "sha": "a" * 40, "siblings": files}).encode(), body)
        file = self.folder / self.path.rsplit("/", 1)[-1]
        if self.path.startswith("/owner/model/resolve/") and file.is_file():
            return self.send(file.read_bytes(), body)
        self.send(b"", body, 404 if self.path != "/" else 200, {"X-Error-Code": "RepoNotFound"})

    def send(self, content, body, status=200, headers=None):
        self.send_response(status)
        extra = {"ETag": f'"{hash(content):x}"', "X-Repo-Commit": "a" * 40, "Content-Length": str(len(content))}
        for key, value in (extra | (headers or {})).items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def served(clip, cache, monkeypatch):
    handler = type("Served", (Hub,), {"folder": clip, "asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    yield handler
    server.shutdown()
    server.server_close()


def test_a_download_reports_progress_and_is_kept(served, clip):
    reports = []
    vlm = mf.load("owner/model", progress=lambda fraction, text: reports.append((fraction, text)))
    assert vlm.name == "model"
    assert torch.equal(vlm.model.logit_scale, mf.load(clip).model.logit_scale)
    fractions = [fraction for fraction, _ in reports]
    assert fractions == sorted(fractions) and fractions[-1] == pytest.approx(1.0)
    assert "downloading owner/model" in reports[-1][1]
    assert not any("tf_model" in path for path in served.asked)
    asked = len(served.asked)
    assert mf.load("owner/model").tasks == ("retrieval",)  # from the cache: the hub is not even asked
    assert served.asked[asked:] == []


def test_a_download_brings_the_chat_template_and_all_else_that_the_processor_needs(served, tmp_path):
    served.folder = published.save("smolvlm", tmp_path / "smolvlm")
    got = mf.load("owner/model")
    fetched = {file.name for file in got.folder.iterdir()}
    assert (
        fetched == {file.name for file in served.folder.iterdir()} >= {"chat_template.jinja", "processor_config.json"}
    )
    image = Image.new("RGB", (50, 40), "red")
    assert got.answer([image], ["is it red"]) == mf.load(served.folder).answer([image], ["is it red"])


def test_a_model_that_the_hub_does_not_have(served):
    assert "no hub model" in message("owner/nothing")


@pytest.mark.parametrize("file", ["model.safetensors", "processor_config.json"])
def test_a_half_downloaded_model_does_not_count_as_cached(served, cache, file):
    mf.load("owner/model")
    next(cache.rglob(file)).unlink()
    assert hub.cached("owner/model") is None
    assert mf.load("owner/model").tasks == ("retrieval",)


def test_the_names_offered():
    assert len(hub.HUB_NAMES) == 7
    assert all(hub.is_hub_name(name) for name in hub.HUB_NAMES)

"""Models by hub name: the local cache first, then a download; offline, one sentence within two seconds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..support.network import reachable
from ..support.threads import Progress
from .folder import first_sentence, weight_files

HUB_NAMES = {
    "Salesforce/blip-itm-base-coco": "BLIP-base, retrieval",
    "Salesforce/blip-image-captioning-base": "BLIP-base, captioning",
    "Salesforce/blip-vqa-base": "BLIP-base, question answering",
    "openai/clip-vit-base-patch32": "CLIP ViT-B/32",
    "openai/clip-vit-base-patch16": "CLIP ViT-B/16",
    "google/siglip-base-patch16-224": "SigLIP-base",
    "HuggingFaceTB/SmolVLM-256M-Instruct": "SmolVLM-256M",
}
_PROCESSOR_FILES = (
    ("processor_config.json", "preprocessor_config.json"),
    ("tokenizer.json", "tokenizer_config.json", "vocab.json", "vocab.txt"),
)
_TEXTS = (".json", ".txt", ".model", ".jinja", ".tiktoken")
_FOLDERS = ("qformer_tokenizer/", "additional_chat_templates/")  # parts of a processor that lie in folders of their own


def is_hub_name(name: str) -> bool:
    """Whether a name has the form owner/model.

    >>> is_hub_name("openai/clip-vit-base-patch32"), is_hub_name("./models/clip"), is_hub_name("a/b/c")
    (True, False, False)
    """
    return bool(re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name))


def fetch(name: str, progress: Progress | None = None) -> Path:
    """The folder of a hub model: from the local cache if it is complete there, else downloaded.

    Raises:
        ConnectionError: not cached, and the hub is forbidden, cannot be reached or broke off.
        ValueError: the hub has no such model, or not for everyone.
    """
    from huggingface_hub import constants

    folder = cached(name)
    if folder is not None:
        return folder
    missing = f"There is no folder {name!r}, and no model of that name in the local cache"
    remedy = f"give a folder, or fetch it where the internet is (hf download {name} --local-dir FOLDER)"
    if constants.HF_HUB_OFFLINE:
        raise ConnectionError(f"{missing}; HF_HUB_OFFLINE=1 forbids downloads: unset it, {remedy}.")
    if not reachable(constants.ENDPOINT):
        raise ConnectionError(f"{missing}; {constants.ENDPOINT} cannot be reached: connect to the internet, {remedy}.")
    return _download(name, constants.ENDPOINT, progress)


def cached(name: str) -> Path | None:
    """The folder of a model in the local cache, None unless config, processor and all weights are there."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(name, "config.json")
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    try:
        weight_files(folder)
    except FileNotFoundError:
        return None
    complete = all(any((folder / file).is_file() for file in files) for files in _PROCESSOR_FILES)
    return folder if complete else None


def _download(name: str, endpoint: str, progress: Progress | None) -> Path:
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    try:
        info = HfApi(endpoint=endpoint).model_info(name, files_metadata=True, timeout=10)
        files = wanted({file.rfilename: file.size or 0 for file in info.siblings})
        bar = _bar(name, sum(files.values()), progress)
        for file in sorted(files, key=files.get):  # the weights last: with them the folder is complete
            path = hf_hub_download(name, file, endpoint=endpoint, tqdm_class=bar)
        return Path(path).parent  # weights lie at the top
    except GatedRepoError:
        raise ValueError(
            f"{name} is not open to everyone: accept its terms on {endpoint}, then `hf auth login`."
        ) from None
    except RepositoryNotFoundError:
        raise ValueError(f"There is no folder and no hub model called {name!r}.") from None
    except (HfHubHTTPError, OSError, TimeoutError) as error:
        raise ConnectionError(
            f"The download of {name} broke off ({first_sentence(error)}): try again, what has arrived is kept."
        ) from None


def wanted(sizes: dict[str, int]) -> dict[str, int]:
    """Of a repository's {file: size} what a model and its processor need: configs, words, chat template, one set of weights.

    >>> list(wanted({"config.json": 1, "tf_model.h5": 9, "model.safetensors": 9, "pytorch_model.bin": 9, "onnx/a.json": 1}))
    ['config.json', 'model.safetensors']
    >>> list(wanted({"chat_template.jinja": 1, "qformer_tokenizer/vocab.txt": 1, "model.safetensors": 9, "run.py": 1}))
    ['chat_template.jinja', 'qformer_tokenizer/vocab.txt', 'model.safetensors']
    """
    top = {file: size for file, size in sizes.items() if "/" not in file}
    near = top | {file: size for file, size in sizes.items() if file.startswith(_FOLDERS)}
    texts = {file: size for file, size in near.items() if file.endswith(_TEXTS)}
    for weights in (r"model(-\d+-of-\d+)?\.safetensors", r"pytorch_model(-\d+-of-\d+)?\.bin"):
        found = {file: size for file, size in top.items() if re.fullmatch(weights, file)}
        if found:
            return {file: s for file, s in texts.items() if not _index_of_others(file, weights)} | found
    raise ValueError("It has no weights in safetensors or PyTorch format.")


def _index_of_others(file: str, weights: str) -> bool:
    return file.endswith(".index.json") and file.startswith("pytorch") != weights.startswith("pytorch")


def _bar(name: str, total: int, progress: Progress | None) -> type:
    """A silent tqdm that reports the bytes of all files together."""
    from tqdm import tqdm

    done = 0

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any):
            kwargs.pop("name", None)
            super().__init__(*args, **{**kwargs, "disable": True})

        def update(self, n: float | None = 1) -> None:
            nonlocal done
            done += int(n or 0)
            if progress is not None and total:
                progress(min(done / total, 1.0), f"downloading {name}: {done / 1e6:.0f} of {total / 1e6:.0f} MB")

    return Bar

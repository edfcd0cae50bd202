"""Where things lie, and what a model is called: in the address, by those who compute with it, and for people.

In the address a model is a built-in name, a folder or a hub name. A folder can be written anew, and then holds another
model; so what is computed goes by the folder *and* a stamp of its files.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from multiflow_core.support.places import ASSETS

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = "results.json"  # of a model in a folder of its own
_STAMP = "@"


def assets() -> Path:
    """The folder of checkpoints and results; the environment variable MULTIFLOW_ASSETS names another one."""
    return Path(os.environ.get("MULTIFLOW_ASSETS", ASSETS))


def models() -> tuple[str, ...]:
    """The names of the checkpoints there, the default first. Needs no torch."""
    found = sorted(config.parent.name for config in assets().glob("*/config.json"))
    return tuple(sorted(found, key=lambda name: name != "flatland-blip"))


def model_of(address: str) -> str:
    """What a model of the address goes by: a folder, or a file, gets its stamp, a name stays as it is.

    >>> model_of("flatland-blip"), model_of("openai/clip-vit-base-patch32")
    ('flatland-blip', 'openai/clip-vit-base-patch32')
    """
    try:
        place = Path(address).expanduser()
        if address in models() or not place.exists():
            return address
    except (OSError, RuntimeError, ValueError):  # a home of nobody, a name too long or with a zero in it
        return address
    place = place.resolve()
    around = sorted(place.iterdir()) if place.is_dir() else [place, *sorted(place.parent.glob("*.json"))]
    files = [file for file in around if file.is_file() and not file.name.endswith(RESULTS)]
    stamp = repr([(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files])
    return f"{place}{_STAMP}{hashlib.sha256(stamp.encode()).hexdigest()[:12]}"


def address_of(model: str) -> str:
    """What the address says for a model.

    >>> address_of("/models/clip@0123456789ab"), address_of("flatland-blip")
    ('/models/clip', 'flatland-blip')
    """
    return model.rpartition(_STAMP)[0] or model


def source(model: str) -> str | Path:
    """What `multiflow_core.load` is given: a folder, or a hub name."""
    return assets() / model if model in models() else address_of(model)


def title(model: str) -> str:
    """What a model is called on a page.

    >>> title("/models/clip@0123456789ab"), title("openai/clip-vit-base-patch32"), title("flatland-blip")
    ('clip', 'clip-vit-base-patch32', 'flatland-blip')
    """
    return Path(address_of(model)).name


def result_file(model: str, data: str = "") -> Path:
    """Where the measured figures of a model are: with those of the built-in ones, or in its own folder; on own data, with those.

    >>> result_file("flatland-blip").name, result_file("/models/clip@0123456789ab").name
    ('flatland-blip.json', 'results.json')
    """
    address = address_of(model)
    if data:
        told = hashlib.sha256(f"{address}\n{data}".encode()).hexdigest()[:8]
        return own_results() / f"{title(model)} on {Path(address_of(data)).stem} {told}.json"
    if address == model:
        return assets() / "results" / f"{title(model)}.json"
    place = Path(address)
    return place.with_name(f"{place.name}.{RESULTS}") if place.is_file() else place / RESULTS


def parts_file(model: str) -> Path:
    """Where it is what each part of a method is worth on a model; `benchmarks.parts` writes it.

    >>> parts_file("flatland-blip").name
    'flatland-blip.parts.json'
    """
    return result_file(model).with_suffix(".parts.json")


def speed_file(model: str) -> Path:
    """Where it is how fast a model is by every pattern, and what it still can do; `benchmarks.structured` writes it.

    >>> speed_file("flatland-blip").name
    'flatland-blip.speed.json'
    """
    return result_file(model).with_suffix(".speed.json")


def own_speed_file(model: str) -> Path:
    """Where it is how fast a model is on this machine.

    >>> own_speed_file("flatland-blip").name.startswith("flatland-blip speed ")
    True
    """
    told = hashlib.sha256(address_of(model).encode()).hexdigest()[:8]
    return own_results() / f"{title(model)} speed {told}.json"


def own_results() -> Path:
    """The folder of what was measured here on own data; the environment variable MULTIFLOW_RESULTS names another one."""
    return Path(os.environ.get("MULTIFLOW_RESULTS", ROOT / "results"))

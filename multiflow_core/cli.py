"""The command line: what the dashboard does, without a browser.

python -m multiflow_core methods
python -m multiflow_core evaluate flatland-blip
python -m multiflow_core prune flatland-blip --method multiflow --sparsity 0.63 --masks masks.safetensors --out FOLDER
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from .commands.command import commands

COMMAND = "multiflow-lab"  # see pyproject.toml
_UNABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO}  # what is no mistake of the user


def _called() -> str:
    """The name it was called by: that of the module, or of the command that pip installs."""
    return COMMAND if Path(sys.argv[0]).stem == COMMAND else "multiflow_core"


def parser() -> argparse.ArgumentParser:
    """That of all commands.

    >>> parser().parse_args(["layers", "flatland-blip"]).model
    'flatland-blip'
    """
    whole = argparse.ArgumentParser(
        prog=_called(), description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parsers = whole.add_subparsers(dest="command", required=True)
    for command in commands():
        command.add(parsers)
    return whole


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command. A mistake of the user ends with one sentence and exit status 2, a machine that cannot go on with 1."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError) as error:
        full = isinstance(error, OSError) and error.errno in _UNABLE
        said = (
            f"nothing could be written ({os.strerror(error.errno).lower()}), and nothing half-written is left"
            if full
            else error
        )
        print(f"{_called()}: {said}", file=sys.stderr)
        raise SystemExit(1 if full else 2) from None

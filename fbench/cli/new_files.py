"""``fbench new-suite``, ``new-protocol`` and ``new-data``: commented files to start from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Final

import typer

from fbench.ablations.library import list_suites
from fbench.core.errors import UserError, readable
from fbench.core.files import replacing, require_writable_file
from fbench.core.paths import expanded

CLASS_MAP_NAME: Final = "fbench_data.toml"

_SUITE: Final = """\
# A suite: which networks are compared with which. fbench run --suite {name}.toml
name = "{name}"
title = "Say here what is compared"
# description = "One or two sentences for readers."
# family = "study"        # correct each study by itself; default: all comparisons of the suite together
# primary = ["activation"] # the studies that the run is made for; the others are a second family

# A study is one question. Levels are names of `fbench list`, of a --plugin, or of variants below.
[[studies]]
name = "activation"
title = "ReLU or h_swish"
question = "Is ReLU in the outer layers as accurate as h_swish?"
baseline = "ires"
levels = ["ires", "ires_relu", "ires_narrow"]
# margin_points = 1.0     # the difference in accuracy that matters, in percentage points
# note = "What else differs between the levels."

# A variant is a registered network with other options of its builder: `fbench show ires` lists them.
[variants.ires_narrow]
base = "ires"
options = {{ squeeze_excite = 8 }}
"""

_PROTOCOL: Final = """\
# A protocol: how trials are trained. fbench run --protocol {name}.toml
# What is not given here is as in the protocol that is extended (a name of `fbench list protocols`, or a file).
extends = "fbench"
name = "{name}"
version = 1
description = "Say here what is different and why."

epochs = 60               # a preset with a budget of its own (smoke, quick, standard) trains less
# batch_size = 128
# label_smoothing = 0.1
# gradient_clip_norm = 5.0
# ema_decay = 0.999
# selection = "validation" # the split that chooses the epoch; or "last"
# test = "none"           # never read the test split: for tuning

[optimizer]
# kind = "sgd"            # adamw, adam or sgd
learning_rate = 0.004     # at a batch of reference_batch_size
# weight_decay = 0.02

# [schedule]
# kind = "constant"       # warmup_cosine, constant or reduce_on_plateau

# [augmentation]          # 0 turns one off
# flip_probability = 0.5
# rotation_degrees = 10.0
# shift_fraction = 0.08
# zoom_fraction = 0.1
# erasing_probability = 0.0
# mixup_alpha = 0.0

# [architecture_options]  # for every builder that takes them
# dropout = 0.2
"""

_CLASS_MAP: Final = """\
# A class map: which folders of images are which class. fbench run --data folder={folder}
description = "Say here what the images are."
# licence = "Say here what it allows."
# may_show_images = false # true only where the images may stand in a published report

[classes]                 # class = folders below this file; wildcards allowed
{classes}

# leave_out = ["unsure"]  # folders that are no class (above [classes])
# shares = [0.1, 0.1]     # of the validation and test split, drawn with `seed` (above [classes])
# seed = 0
# subject = '(?P<subject>S\\d+)_'  # of an image's path: subjects then lie in one split each, and are what is drawn anew

# [splits]                # instead of shares, where folders say which split they are
# train = ["train"]
# validation = ["validation"]
# test = ["test"]
"""


def new_suite_command(
    name: Annotated[str, typer.Argument(help="Name of the new suite; NAME.toml is written.")],
) -> None:
    """Write NAME.toml, a commented suite to start from."""
    if name in list_suites():
        raise UserError(f"The suite name '{name}' is taken; choose another name.")
    path = _write(Path(f"{_plain(name)}.toml"), _SUITE.format(name=name), "The suite")
    typer.echo(f"Wrote {path}. Next: fbench run --suite {path} --dry-run")


def new_protocol_command(
    name: Annotated[str, typer.Argument(help="Name of the new protocol; NAME.toml is written.")],
) -> None:
    """Write NAME.toml, a commented protocol to start from."""
    from fbench.benchmark.records.protocol_library import list_protocols

    if name in list_protocols():
        raise UserError(f"The protocol name '{name}' is taken; choose another name.")
    path = _write(Path(f"{_plain(name)}.toml"), _PROTOCOL.format(name=name), "The protocol")
    typer.echo(f"Wrote {path}. Next: fbench run --protocol {path} --dry-run")


def new_data_command(
    folder: Annotated[Path, typer.Argument(help=f"Folder of images; {CLASS_MAP_NAME} is written into it.")],
) -> None:
    """Write a commented class map into a folder of images, with the folders that are there as classes."""
    folder = expanded(folder)
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; name the one that holds the folders of images.")
    found = sorted(one.name for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    names = found if len(found) > 1 else ["calm", "happy"]
    classes = "\n".join(f"{json.dumps(name)} = [{json.dumps(name)}]" for name in names)
    text = _CLASS_MAP.format(folder=readable(str(folder)), classes=classes)
    path = _write(folder / CLASS_MAP_NAME, text, "The class map")
    typer.echo(f"Wrote {path}. Next: fbench data audit folder={folder}")


def _plain(name: str) -> str:
    """The name, where it can be that of a file.

    Raises:
        UserError: it cannot.
    """
    if not name or not all(letter.isascii() and (letter.isalnum() or letter in "_-.") for letter in name):
        raise UserError(f"'{name}' cannot name a file; give letters, digits, '_', '-' and '.' alone.")
    if not name[0].isalnum() or name.endswith(".toml"):
        raise UserError(f"'{name}' was given; give a name that begins with a letter or digit, without .toml.")
    return name


def _write(path: Path, text: str, what: str) -> Path:
    """Write a new file.

    Raises:
        UserError: it is there, or cannot be written.
    """
    if os.path.lexists(path):
        raise UserError(f"{path} exists and is not overwritten; choose another name or move the file.")
    require_writable_file(path, what, "NAME")
    with replacing(path) as stream:
        stream.write(text.encode())
    return path

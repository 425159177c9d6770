"""
A network of your own, registered in a file
===========================================

A decorated function is a network. In a file of its own every command knows it by ``--plugin``, and ``fbench.run`` by
``plugins``; it is trained in a worker process.
"""

from pathlib import Path

import fbench

# %%
# ``fbench new-arch tiny`` writes such a file. Each keyword is an option with a default; the number of classes, channels
# and the image's size come from the data.

SOURCE = """\
from torch import nn

from fbench import register


@register("tiny", description="One strided convolution and a linear layer")
def tiny(*, num_classes: int = 7, in_channels: int = 1, image_size: int = 48, width: int = 8) -> nn.Module:
    side = (image_size + 1) // 2
    return nn.Sequential(
        nn.Conv2d(in_channels, width, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(width * side * side, num_classes),
    )
"""

file = Path("tiny.py")
file.write_text(SOURCE, encoding="utf-8")

# %%
# Its counts are exact, and its accuracy has an interval, like those of every other network.

run = fbench.run(arch=["lenet5", "tiny"], plugins=file, preset="smoke", out="own_network", progress=False)
print(run.summary_frame()[["network", "top1", "trainable_params", "macs"]].to_string(index=False))
print(run.compare("tiny", "lenet5"))

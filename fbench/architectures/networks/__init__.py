"""The networks of the two papers and their baselines; importing this package registers all of them.

Layer tables, readings and open choices follow Xu et al. 2021 and Chowanda 2021; what a paper leaves open is
listed in ``contract.toml`` beside the counts.
"""

from __future__ import annotations

from fbench.architectures.networks import (
    arch,
    ires,
    lenet,
    mini_xception,
    resnet50,
    simple_cnn,
    simpler_cnn,
)

__all__ = ["arch", "ires", "lenet", "mini_xception", "resnet50", "simple_cnn", "simpler_cnn"]

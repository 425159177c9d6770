"""
A protocol that differs
=======================

Does a conclusion depend on how the networks were trained? Train them again under a protocol that differs in one
setting. It has a name that says in what, so that no two results are confused.
"""

import pandas as pd

import fbench

# %%
# Single settings stand behind the name of a protocol; a TOML file (``fbench new-protocol mine``) can change any.

PROTOCOLS = ("fbench", "fbench@1+learning_rate=0.001")


def under(protocol: str) -> fbench.Run:
    folder = protocol.replace("=", "_").replace("+", "_")
    return fbench.run(arch=["lenet5", "ires"], protocol=protocol, preset="smoke", out=folder, progress=False)


def table(runs: list[fbench.Run]) -> pd.DataFrame:
    frames = [run.trials_frame().assign(protocol=run.config.protocol.name) for run in runs]
    return pd.concat(frames).pivot_table(index="network", columns="protocol", values="validation_loss_nats")


if __name__ == "__main__":
    print(table([under(protocol) for protocol in PROTOCOLS]).to_string())

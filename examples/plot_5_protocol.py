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

protocols = {"as_it_is": "fbench", "slower": "fbench@1+learning_rate=0.001"}
runs = {
    folder: fbench.run(arch=["lenet5", "ires"], protocol=protocol, preset="smoke", out=folder, progress=False)
    for folder, protocol in protocols.items()
}

# %%
# One frame of both, with the name of the protocol that each run keeps.

frames = [run.trials_frame().assign(protocol=run.config.protocol.name) for run in runs.values()]
trials = pd.concat(frames)
print(trials.pivot_table(index="network", columns="protocol", values="validation_loss_nats").to_string())

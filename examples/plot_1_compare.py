"""
Compare two networks
====================

Train networks under one protocol with the same seeds, and read what was found as pandas frames.
"""

import fbench

# %%
# Training is one call. The same call again goes on where it stopped, and of a run that is complete it gives the records
# at once.

names = ["ires", "ires_no_se", "lenet5"]
run = fbench.run(arch=names, preset="smoke", seeds=2, out="three_networks", progress=False)

# %%
# Every frame has one row per thing and units in the names of columns: accuracies are fractions of 1, times are in the
# unit that the name ends with.

summary = run.summary_frame()
print(summary[["network", "seeds", "top1", "trainable_params", "macs"]].to_string(index=False))

# %%

trials = run.trials_frame()
print(trials[["network", "seed", "status", "test_top1"]].to_string(index=False))

# %%
# Two networks are held against each other by name; printed, it is the verdict.

print(run.compare("ires_no_se", "ires"))

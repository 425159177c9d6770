"""
Accuracy against cost
=====================

Which networks does no other one beat in accuracy and cost at once? Counts are exact, latency is measured while nothing
trains, and accuracy has its interval for new images.
"""

from matplotlib import pyplot as plt

import fbench

# %%
# The call that trained the networks gives their records again.

names = ["ires", "ires_no_se", "lenet5"]
run = fbench.run(arch=names, preset="smoke", seeds=2, out="three_networks", progress=False)
summary = run.summary_frame()
print(summary[["network", "top1", "macs", "latency_p50_ms"]].to_string(index=False))

# %%
# Networks that no other beats are joined by a line. With so little training the line says nothing; the report of a real
# run also says how surely each network is on it.

_, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
fbench.plots.pareto(summary, left, cost="macs")
fbench.plots.pareto(summary, right, cost="latency_p50_ms")
plt.show()

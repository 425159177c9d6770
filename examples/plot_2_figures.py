"""
Figures from frames
===================

Five of the report's figures take a frame and draw on axes of your own.
"""

from matplotlib import pyplot as plt

import fbench

# %%
# The call that trained the networks gives their records again.

names = ["ires", "ires_no_se", "lenet5"]
run = fbench.run(arch=names, preset="smoke", seeds=2, out="three_networks", progress=False)

# %%
# Each function of ``fbench.plots`` takes the frame of its subject, whole or the rows that you keep, and returns the
# axes. Networks keep the colour and marker that a report gives them.

_, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
fbench.plots.seeds(run.trials_frame(), left)
fbench.plots.learning_curves(run.history_frame(), right, quantity="loss")
plt.show()

# %%
# Without axes it makes its own.

predictions = run.predictions_frame()
fbench.plots.confusion(predictions[predictions.network == "ires"]).set_title("ires")
plt.show()

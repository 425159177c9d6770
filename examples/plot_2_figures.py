"""
Figures from frames
===================

Five of the report's figures take a frame and draw on axes of your own.
"""

from matplotlib import pyplot as plt

import fbench

# %%
# Each function of ``fbench.plots`` takes the frame of the same subject, whole or the rows that you keep, and returns
# the axes. Networks keep the colour and marker that a report gives them.


def draw(run: fbench.Run) -> None:
    _, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    fbench.plots.seeds(run.trials_frame(), left)
    fbench.plots.learning_curves(run.history_frame(), right, quantity="loss")

    predictions = run.predictions_frame()
    fbench.plots.confusion(predictions[predictions.network == "ires"]).set_title("ires")


if __name__ == "__main__":
    names = ["ires", "ires_no_se", "lenet5"]
    draw(fbench.run(arch=names, preset="smoke", seeds=2, out="three_networks", progress=False))
    plt.show()

"""
Data of your own, from arrays
=============================

Images and labels that you have as arrays become a data set with a name, which every command takes.
"""

import numpy as np
from matplotlib import pyplot as plt

import fbench

# %%
# Circles and squares of random size and place, in noise.

generator = np.random.default_rng(0)
rows, columns = np.mgrid[0:32, 0:32]
images, labels = [], []
for label in ("circle", "square") * 150:
    y, x = generator.integers(10, 22, 2)
    down, across = abs(rows - y), abs(columns - x)
    distance = np.hypot(down, across) if label == "circle" else np.maximum(down, across)
    images.append(np.where(distance <= generator.integers(4, 9), 200, 60) + generator.normal(0, 30, (32, 32)))
    labels.append(label)
pixels = np.clip(images, 0, 255).astype(np.uint8)

# %%
# Where no split is given, a seeded draw makes one; ``subjects`` would keep the images of one subject on one side.

data = fbench.data.from_arrays(pixels, labels, name="shapes", description="Circles and squares.", may_show_images=True)
run = fbench.run(arch=["lenet5", "ires"], data=data, preset="smoke", seeds=2, out="own_data", progress=False)
print(run.summary_frame()[["data", "network", "top1", "images"]].to_string(index=False))

# %%
# What each true class is taken for, over all trainings.

fbench.plots.confusion(run.predictions_frame())
plt.show()

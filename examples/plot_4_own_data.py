"""
Data of your own, from arrays
=============================

Images and labels that you have as arrays become a data set with a name, which every command takes.
"""

import numpy as np
from matplotlib import pyplot as plt

import fbench

# %%
# Squares and circles of random size and place, in noise. Where no split is given, a seeded draw makes one; ``subjects``
# would keep the images of one subject on one side.


def shapes(images: int = 300, side: int = 32, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:side, 0:side]
    drawn, names = [], []
    for index in range(images):
        y, x = generator.integers(10, side - 10, 2)
        radius = generator.integers(4, 9)
        name = ("circle", "square")[index % 2]
        far = np.hypot(rows - y, columns - x) if name == "circle" else np.maximum(abs(rows - y), abs(columns - x))
        drawn.append(np.where(far <= radius, 200, 60) + generator.normal(0, 30, (side, side)))
        names.append(name)
    return np.clip(drawn, 0, 255).astype(np.uint8), names


def compared() -> fbench.Run:
    images, labels = shapes()
    data = fbench.data.from_arrays(
        images, labels, name="shapes", description="Circles and squares in noise.", may_show_images=True
    )
    return fbench.run(arch=["lenet5", "ires"], data=data, preset="smoke", seeds=2, out="own_data", progress=False)


if __name__ == "__main__":
    run = compared()
    print(run.summary_frame()[["data", "network", "top1", "images"]].to_string(index=False))
    fbench.plots.confusion(run.predictions_frame())
    plt.show()

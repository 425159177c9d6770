"""The best accuracy any classifier can reach on `synthetic`: its Bayes rate, by Monte Carlo, with standard errors.

The class given the action-unit intensities has a closed-form posterior, and pixels depend on the class through the
intensities alone, so the mean of the largest posterior bounds every classifier of images from above. Run from the
root of the repository; the committed table comes from the defaults:

    python scripts/synthetic_ceiling.py > results/synthetic/ceiling.csv
"""

from __future__ import annotations

import argparse
import csv
import sys

import numpy as np

from fbench.benchmark.data.synthetic.ceiling import bayes_rate
from fbench.benchmark.data.synthetic.dataset import GENERATOR_VERSION


def main() -> None:
    """Write the table as CSV to standard output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2_000_000, help="images drawn from the generator")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draws")
    arguments = parser.parse_args()
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["generator_version", "seed", "images", "class", "bayes_rate", "standard_error"])
    for name, rate, error in bayes_rate(arguments.images, np.random.default_rng(arguments.seed)):
        table.writerow([GENERATOR_VERSION, arguments.seed, arguments.images, name, f"{rate:.5f}", f"{error:.5f}"])


if __name__ == "__main__":
    main()

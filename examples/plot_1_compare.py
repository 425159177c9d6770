"""
Compare two networks
====================

Train two networks under one protocol with the same seeds, and read what was found as pandas frames.
"""

import fbench

# %%
# Training is one call. The same call again goes on where it stopped, and of a run that is complete it gives the records
# at once. Processes that measure memory import this file, so that the call stands below the guard at its end.


def trained() -> fbench.Run:
    names = ["ires", "ires_no_se", "lenet5"]
    return fbench.run(arch=names, preset="smoke", seeds=2, out="three_networks", progress=False)


# %%
# Every frame has one row per thing and units in the names of columns: accuracies are fractions of 1, times are in the
# unit that the name ends with. Two networks are held against each other by name, and printed it is the verdict.


def show(run: fbench.Run) -> None:
    summary = run.summary_frame()[["network", "seeds", "top1", "trainable_params", "macs"]]
    print(summary.to_string(index=False))
    trials = run.trials_frame()[["network", "seed", "status", "test_top1"]]
    print(trials.to_string(index=False))
    print(run.compare("ires_no_se", "ires"))


if __name__ == "__main__":
    show(trained())

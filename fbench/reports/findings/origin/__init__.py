"""Where the numbers come from: the data's audit, readings of the test split, what a run needs to be repeated."""

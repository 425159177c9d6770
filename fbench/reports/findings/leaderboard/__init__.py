"""Networks of many bundles by data set and way of training: who leads, who ties, and whose trials were repeated."""

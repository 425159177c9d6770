"""What a reader wants first: which network to take, which may be the best, and how far the run can be trusted."""

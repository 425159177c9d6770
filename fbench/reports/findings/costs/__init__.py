"""What a network costs: timings, counts and rooflines, with what was measured and what was only tried."""

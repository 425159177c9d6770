"""Accuracy against cost: fronts, and time to a target."""

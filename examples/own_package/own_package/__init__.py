"""A network of one's own in a package."""

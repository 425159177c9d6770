"""What the records say about accuracy: one network, pairs, studies, factors, all of them."""

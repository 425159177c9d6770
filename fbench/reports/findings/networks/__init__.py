"""What a network is: its parts, what it differs in from another, and how it is drawn."""

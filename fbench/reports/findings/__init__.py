"""What a report says in numbers and words, before anything is drawn: what every form of it is written from."""

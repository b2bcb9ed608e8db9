"""One file a network; each opens with its command, its hours and the score it reached."""

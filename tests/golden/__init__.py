"""Files that pin down what was right once, and what made them."""

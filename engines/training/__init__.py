"""How the networks that ship were made: shared training parts, and one recipe a network."""

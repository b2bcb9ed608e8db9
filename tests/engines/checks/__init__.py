"""The contract checks themselves: each finds what it is there for."""

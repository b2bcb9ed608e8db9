"""Sequences of faces in which one factor changes: what a network of changes is trained on."""

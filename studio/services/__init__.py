"""What the page asks of the engines: from an upload to an aligned face, edits, mixes, directions, masks, hierarchies."""

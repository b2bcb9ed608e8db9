"""One module a tab; a page is an ordered list of cells."""

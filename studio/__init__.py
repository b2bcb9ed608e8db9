"""The page and the command line: all that draws; what computes is in `engines`."""

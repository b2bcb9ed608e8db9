"""`python -m studio`: the command line, where its folder of programs is not on the path."""

import sys

from studio.cli import main

if __name__ == "__main__":
    sys.exit(main())

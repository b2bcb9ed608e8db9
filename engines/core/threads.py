"""How torch's threads wait for each other: they spin for a moment, then sleep.

OpenMP reads this once, when torch loads, so `engines` imports this module before anything else. Spinning for long, as torch comes, makes a
step many times slower where something else computes too; sleeping at once costs a sixth of the speed on a quiet machine. GNU OpenMP alone
knows the setting; others ignore it. Set GOMP_SPINCOUNT or OMP_WAIT_POLICY yourself to decide otherwise.
"""

import os

if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")

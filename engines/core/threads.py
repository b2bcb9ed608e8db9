"""How torch's threads wait for each other: asleep rather than spinning.

OpenMP reads this once, when torch loads, so `engines` imports this module before anything else. On an idle machine it makes no
difference; where something else computes too, spinning threads make a step many times slower.
Set OMP_WAIT_POLICY yourself to decide otherwise.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

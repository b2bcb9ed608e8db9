"""The encoder and the decoder of changes: two codes become a few numbers, and these numbers and another code become a change of that code.

After Diamant, Sandor and Bronstein, "Delta-GAN-Encoder", arXiv:2111.08419: Delta = E(a_i, a_j), and b + D(b, Delta). The paper's layers and
sizes are not known to us; these are our choice. Both have a linear part and a small curved one, and both vanish where nothing changes:

    E(a_i, a_j) = H a_j - H a_i + g(a_i, a_j) - g(a_i, a_i)
    D(b, Delta) = W Delta + f(b, Delta) - f(b, 0)

g and f have one hidden layer. They look at codes through one shared projection, and begin as 0. So the whole begins as a linear
autoencoder of differences with a narrow middle, and learns of the faces only what pays.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

Values = Float[Tensor, "batch values"]
Delta = Float[Tensor, "batch dims"]

_SLOPE, _LINEAR_AT_FIRST = 0.2, 0.02


class DeltaNet(nn.Module):
    """E and D over flat coordinates of codes.

    Args:
        values: Numbers of a code.
        dims: Numbers of a change.
        hidden: Width of the projection, and of both hidden layers.
    """

    def __init__(self, values: int, dims: int, hidden: int) -> None:
        super().__init__()
        self.dims = dims
        self.look = nn.Linear(values, hidden, bias=False)
        self.encode_linear = nn.Linear(values, dims, bias=False)
        self.encode_curved = _curved(2 * hidden, hidden, dims)
        self.decode_linear = nn.Linear(dims, values, bias=False)
        self.decode_curved = _curved(hidden + dims, hidden, values)
        nn.init.normal_(self.encode_linear.weight, std=_LINEAR_AT_FIRST)
        nn.init.normal_(self.decode_linear.weight, std=_LINEAR_AT_FIRST)

    def encode(self, before: Values, after: Values) -> Delta:
        """The change from one code to another; 0 between equal codes."""
        seen, then = self.look(before), self.look(after)
        curved, nothing = (self.encode_curved(torch.cat([seen, other], dim=1)) for other in (then, seen))
        return self.encode_linear(after - before) + curved - nothing

    def decode(self, code: Values, delta: Delta) -> Values:
        """What a change adds to a code; 0 where the change is."""
        seen = self.look(code)
        curved, nothing = (self.decode_curved(torch.cat([seen, one], dim=1)) for one in (delta, torch.zeros_like(delta)))
        return self.decode_linear(delta) + curved - nothing


def _curved(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """One hidden layer, whose output begins as 0."""
    last = nn.Linear(hidden, outputs, bias=False)
    nn.init.zeros_(last.weight)
    return nn.Sequential(nn.Linear(inputs, hidden), nn.LeakyReLU(_SLOPE), last)

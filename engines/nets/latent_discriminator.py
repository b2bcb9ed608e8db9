"""The latent discriminator: single vectors of an encoder against those of the mapping network. It keeps an encoder's codes near W.

Paper: Nitzan et al., "Face Identity Disentanglement via Latent Space Mapping", arXiv:2005.07728, in the form of e4e
(arXiv:2102.02766, section 5.2), with its pool of earlier vectors.
"""

import torch
from torch import Tensor, nn

POOL = 50
_HIDDEN, _SLOPE = 3, 0.2


class LatentDiscriminator(nn.Module):
    """Scores of vectors in standard deviations of W; above 0 for mapped ones.

    Args:
        width: Length of one w.
    """

    pool: Tensor
    filled: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(_HIDDEN):
            layers += [nn.Linear(width, width), nn.LeakyReLU(_SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Linear(width, 1))
        self.register_buffer("pool", torch.zeros(2, POOL, width))
        self.register_buffer("filled", torch.zeros(2, dtype=torch.long))

    def forward(self, vectors: Tensor) -> Tensor:
        """Scores (B,) of vectors (B,width)."""
        return self.layers(vectors).squeeze(1)

    @torch.no_grad()
    def remembered(self, vectors: Tensor, kind: int, chance: torch.Generator) -> Tensor:
        """Some of the vectors (B,width) exchanged for earlier ones of their kind (0 mapped, 1 predicted), which they replace."""
        answers = vectors.clone()
        for index, vector in enumerate(vectors):
            count = int(self.filled[kind])
            if count < POOL:
                self.pool[kind, count] = vector
                self.filled[kind] += 1
            elif torch.rand((), generator=chance) < 0.5:
                place = int(torch.randint(POOL, (), generator=chance))
                answers[index] = self.pool[kind, place].clone()
                self.pool[kind, place] = vector
        return answers

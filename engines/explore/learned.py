"""The spaces of codes that FineGAN learned: what each one-hot code does to the features, as points whose distances mean something.

Singh, Ojha, Lee, "FineGAN", arXiv:1811.11155. A one-hot code picks one column of the weights that read it; that column is the code's
embedding. Principal components of the columns make the map. Ours: the paper shows no such map.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from engines.generators.finegan import FineGAN

Kind: TypeAlias = Literal["background", "parent", "child"]


@dataclass(frozen=True, eq=False)
class CodeMap:
    """A space of codes.

    Attributes:
        places: (codes,axes), along the principal components.
        explained: Share of the variance along each axis, (axes,).
    """

    places: Tensor
    explained: Tensor


def embeddings(finegan: FineGAN, kind: Kind) -> Tensor:
    """What each code adds to the first features that read it, (codes,values), as their normalisation scales it."""
    network, form = finegan.network, finegan.form
    reader: Any = {"background": network.h_net1_bg.fc, "parent": network.h_net2.jointConv, "child": network.h_net3.jointConv}[kind]
    weight, norm = reader[0].weight, reader[1]
    scaled = weight * (norm.weight / (norm.running_var + norm.eps).sqrt()).view(-1, *[1] * (weight.dim() - 1))
    return scaled[:, : form.parents if kind == "parent" else form.children].transpose(0, 1).flatten(1)


def code_map(finegan: FineGAN, kind: Kind, axes: int = 2) -> CodeMap:
    """Principal components of the codes' embeddings; of each axis, the code that lies furthest out is on the positive side."""
    rows = embeddings(finegan, kind).double()
    left, sizes, _ = torch.linalg.svd(rows - rows.mean(dim=0), full_matrices=False)
    places = (left * sizes)[:, :axes]
    signs = places.gather(0, places.abs().argmax(dim=0, keepdim=True)).sign()
    return CodeMap((places * signs).float(), (sizes.square() / sizes.square().sum().clamp_min(1e-12))[:axes].float())

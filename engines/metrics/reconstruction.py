"""How close a picture comes to the photo it should redraw: the one protocol that every method reports by.

The full picture, clamped to [-1, 1] and area-averaged to 256 px: mean squared error, PSNR with range 2, MS-SSIM (Wang et al., 2003),
LPIPS with AlexNet v0.1 (arXiv:1801.03924), and the distance of face embeddings on the full pictures.
"""

import torch
import torch.nn.functional as F
from pytorch_msssim import ms_ssim

from engines.core.images import PROTOCOL_SIDE, area
from engines.core.shapes import Image
from engines.faces import identity_distance, identity_embedder
from engines.losses.perceptual import Perceptual


class Reconstruction:
    """The measuring instrument; loads its two networks once.

    Args:
        device: Where the pictures are.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.perceptual = Perceptual(device)
        self.identity = identity_embedder(str(device))

    @torch.no_grad()
    def __call__(self, image: Image, target: Image) -> dict[str, float]:
        """Figures of one pair of square pictures, (1,3,R,R) each: mse, psnr (dB), ms_ssim, lpips, identity_distance.

        Same person below about 0.55 in identity_distance; lower is better there, in mse and in lpips.
        """
        image, target = image.clamp(-1, 1), target.clamp(-1, 1)
        small, small_target = area(image, PROTOCOL_SIDE), area(target, PROTOCOL_SIDE)
        mse = F.mse_loss(small, small_target)
        return {
            "mse": float(mse),
            "psnr": float(10 * torch.log10(4 / mse.clamp_min(1e-12))),
            "ms_ssim": float(ms_ssim((small + 1) / 2, (small_target + 1) / 2, data_range=1.0)),
            "lpips": float(self.perceptual(small, small_target)),
            "identity_distance": float(identity_distance(self.identity.embed(image), self.identity.embed(target))),
        }

"""GAN inversion, editing and exploration methods behind one `run()`.

from engines import InvertRequest, create, load_generator

generator = load_generator("ffhq")
result = create("image2stylegan", generator)(InvertRequest(image=photo), steps=100)

What `__all__` lists is what programs may build on; everything else may move.
"""

import engines.core.threads  # noqa: F401  first: it must run before torch loads
from engines.comparison import InversionEvaluator, consistency_encoder
from engines.contract import (
    BankRequest,
    Card,
    DrawingRequest,
    Engine,
    ExploreRequest,
    FitRequest,
    HierarchyRequest,
    InvertRequest,
    MixRequest,
    Part,
    Progress,
    Request,
    Result,
    Run,
    Table,
    finish,
)
from engines.core.errors import StudioError
from engines.core.images import read_image, to_picture, to_tensor
from engines.core.knobs import Knob, Knobs
from engines.core.seeds import z_codes
from engines.data import face_bank
from engines.edit import conditional_direction, learnt_change, local_directions, read_directions, write_directions
from engines.faces import align, find_faces
from engines.faces.parts import part_mask, rectangle_mask
from engines.generators.base import Generator
from engines.generators.finegan import FineCodes
from engines.generators.incremental import IncrementalRenderer, draw_inversion
from engines.generators.stylemapgan import load_stylemapgan
from engines.hierarchy.discovery import clustering_agreement, extract_features, finegan_classifier, kmeans_clusters
from engines.invert.encode import OfficialEncoder, load_official
from engines.invert.optimize import DiffusionRequest, LocalRequest
from engines.metrics.disentanglement import rescore_directions
from engines.mix.spatial import layer_slots
from engines.registry import catalogue, create, load_generator
from engines.spaces.bank import Bank
from engines.spaces.directions import Direction, apply_directions, project_out
from engines.spaces.latent import Inversion, Latent
from engines.spaces.statistics import random_w
from engines.training.drawn import random_birds

__version__ = "0.2.0"

__all__ = [
    "Bank",
    "BankRequest",
    "Card",
    "DiffusionRequest",
    "Direction",
    "DrawingRequest",
    "Engine",
    "ExploreRequest",
    "FineCodes",
    "FitRequest",
    "Generator",
    "HierarchyRequest",
    "IncrementalRenderer",
    "Inversion",
    "InversionEvaluator",
    "InvertRequest",
    "Knob",
    "Knobs",
    "Latent",
    "LocalRequest",
    "MixRequest",
    "OfficialEncoder",
    "Part",
    "Progress",
    "Request",
    "Result",
    "Run",
    "StudioError",
    "Table",
    "__version__",
    "align",
    "apply_directions",
    "catalogue",
    "clustering_agreement",
    "conditional_direction",
    "consistency_encoder",
    "create",
    "draw_inversion",
    "extract_features",
    "face_bank",
    "find_faces",
    "finegan_classifier",
    "finish",
    "kmeans_clusters",
    "layer_slots",
    "learnt_change",
    "load_generator",
    "load_official",
    "load_stylemapgan",
    "local_directions",
    "part_mask",
    "project_out",
    "random_birds",
    "random_w",
    "read_directions",
    "read_image",
    "rectangle_mask",
    "rescore_directions",
    "to_picture",
    "to_tensor",
    "write_directions",
    "z_codes",
]

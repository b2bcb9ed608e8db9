"""What a person brings: each input is declared once, on a request's field, and says how it is made from words or JSON."""

from engines.inputs.bank import AttributeName, AttributeNames, OwnBank
from engines.inputs.base import Input, Word, Words, declared, example, made, words_of
from engines.inputs.changes import FactorName, FrameNumber
from engines.inputs.photos import FacePhoto, FurtherPhotos, PaintedMask, PlainPicture
from engines.inputs.reading import AlignedPhoto, Reading
from engines.inputs.seeds import SeedFace, SeedNumber, SeedParts, StagedCodes

__all__ = [
    "AlignedPhoto",
    "AttributeName",
    "AttributeNames",
    "FacePhoto",
    "FactorName",
    "FrameNumber",
    "FurtherPhotos",
    "Input",
    "OwnBank",
    "PaintedMask",
    "PlainPicture",
    "Reading",
    "SeedFace",
    "SeedNumber",
    "SeedParts",
    "StagedCodes",
    "Word",
    "Words",
    "declared",
    "example",
    "made",
    "words_of",
]

"""The errors a person can meet. Each message says what came, what was wanted and what to do.

StudioError
|- KnobError        a knob outside its declared range or of the wrong type
|- ImageError       a picture that cannot be read, is too large or too small
|- FaceError        no face, or not the face that was asked for
|- SpaceError       a code of the wrong space or shape
|- WeightsError     a weight file that is missing, altered or of the wrong shape
|- RequestError     an input that is missing, or that no method knows
|- OutputError      a file or folder that cannot be written
`- CatalogueError   an engine, generator or device name that nobody answers to
"""


class StudioError(Exception):
    """Root of everything the studio says to a person in words meant for them."""


class KnobError(StudioError):
    """A knob outside its declared range or of the wrong type."""


class ImageError(StudioError):
    """A picture that cannot be read, is too large or too small."""


class FaceError(StudioError):
    """No face was found, or not the one that was asked for."""


class SpaceError(StudioError):
    """A code of the wrong space or shape."""


class WeightsError(StudioError):
    """A weight file that is missing, altered or of the wrong shape."""


class RequestError(StudioError):
    """An input that is missing, or that no method knows."""


class OutputError(StudioError):
    """A file or folder that cannot be written."""


class CatalogueError(StudioError):
    """An engine, generator or device name that nobody answers to."""

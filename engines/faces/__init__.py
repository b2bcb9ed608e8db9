"""What is known about the faces in a picture: where they are, how they lie, how to cut them out and put them back, and who they are."""

from engines.faces.align import Alignment, align, alignment_from_box, alignment_from_landmarks, ffhq_quad, paste_back
from engines.faces.attributes import ATTRIBUTES, Attribute, AttributeScorer, attribute_scorer
from engines.faces.detect import Detection, FaceDetector, face_detector
from engines.faces.find import Face, dominates, find_faces, pick_face, reduced, told
from engines.faces.identity import SAME_PERSON, IdentityEmbedder, identity_distance, identity_embedder
from engines.faces.landmarks import FaceMesh, Landmarks, face_mesh
from engines.faces.overlay import draw_overlay

__all__ = [
    "ATTRIBUTES",
    "SAME_PERSON",
    "Alignment",
    "Attribute",
    "AttributeScorer",
    "Detection",
    "Face",
    "FaceDetector",
    "FaceMesh",
    "IdentityEmbedder",
    "Landmarks",
    "align",
    "alignment_from_box",
    "alignment_from_landmarks",
    "attribute_scorer",
    "dominates",
    "draw_overlay",
    "face_detector",
    "face_mesh",
    "ffhq_quad",
    "find_faces",
    "identity_distance",
    "identity_embedder",
    "paste_back",
    "pick_face",
    "reduced",
    "told",
]

"""Loading models, turning messages into tokens, and asking models."""

from coupling.models.chat import Thinking
from coupling.models.detector import Detector, load_detector
from coupling.models.endpoint import EndpointSampler
from coupling.models.journal import Journal
from coupling.models.loading import LoadedModel, fingerprint, load_model, prepare_process, weights_sha256
from coupling.models.organisms import CARD_FILE, OrganismCard, read_card, world_of
from coupling.models.rendering import Renderer, Sequence, context_length
from coupling.models.sampling import LocalSampler, Sampler, Way, explanation_message
from coupling.models.written import WrittenSampler, check_written

__all__ = [
    "CARD_FILE",
    "Detector",
    "EndpointSampler",
    "Journal",
    "LoadedModel",
    "LocalSampler",
    "OrganismCard",
    "Renderer",
    "Sampler",
    "Sequence",
    "Thinking",
    "Way",
    "WrittenSampler",
    "check_written",
    "context_length",
    "explanation_message",
    "fingerprint",
    "load_detector",
    "load_model",
    "prepare_process",
    "read_card",
    "weights_sha256",
    "world_of",
]

"""Loading models, turning messages into tokens, and asking models."""

from coupling.models.chat import Thinking
from coupling.models.detector import Detector, load_detector
from coupling.models.endpoint import EndpointSampler
from coupling.models.journal import Journal
from coupling.models.loading import LoadedModel, fingerprint, load_model, prepare_process, weights_sha256
from coupling.models.organisms import CARD_FILE, OrganismCard, read_card, world_of
from coupling.models.reasoned import ReasonedSampler, check_reasoned, instructed, reasoned_inputs
from coupling.models.rendering import Renderer, Sequence, context_length
from coupling.models.sampling import Input, LocalSampler, Sampler, Way, example, explanation_message
from coupling.models.written import WrittenSampler, check_written

__all__ = [
    "CARD_FILE",
    "Detector",
    "EndpointSampler",
    "Input",
    "Journal",
    "LoadedModel",
    "LocalSampler",
    "OrganismCard",
    "ReasonedSampler",
    "Renderer",
    "Sampler",
    "Sequence",
    "Thinking",
    "Way",
    "WrittenSampler",
    "check_reasoned",
    "check_written",
    "context_length",
    "example",
    "explanation_message",
    "fingerprint",
    "instructed",
    "load_detector",
    "load_model",
    "prepare_process",
    "read_card",
    "reasoned_inputs",
    "weights_sha256",
    "world_of",
]

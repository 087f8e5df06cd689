"""Memory: what lies there all the time, and the most that comes on top of it.

Training, on each device:

    weights + gradients + two moments of AdamW + max over terms of (kept + block + 8 bytes · logits)

``kept`` is what autograd keeps for the backward pass of one term of the loss (the terms are run one after
the other); ``block`` is one layer's part of it, which the backward pass needs as gradients; a logit is there
twice in float32, as itself and as its gradient, or thrice in half of it. With gradient checkpointing ``kept``
shrinks to the input of each layer and one layer's part, which is computed again.

Sampling, on each device:

    weights + keys and values of one batch + one layer's intermediate results + logits

A reference cached for the KL term lies in the machine's memory. Sharding (FSDP2) divides weights, gradients
and moments by the number of processes, but for one layer's weights, which are gathered when it is computed.
"""

from __future__ import annotations

from dataclasses import dataclass

from coupling.planning.tracing import Shape, Traced

FLOAT32 = 4
LOGIT_BYTES = 8


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on one device, by what they are for."""

    weights: int
    gradients: int
    moments: int
    activations: int
    logits: int
    cache: int

    @property
    def total(self) -> int:
        return sum((self.weights, self.gradients, self.moments, self.activations, self.logits, self.cache))


def training_memory(
    shape: Shape, terms: list[tuple[Traced, int]], checkpointed: bool, shards: int = 1
) -> Memory:
    """The most that training holds.

    Args:
        terms: of each term of the loss what one micro batch takes, and the tokens in it (padding included).
        checkpointed: whether layers are computed again in the backward pass.
        shards: processes that share weights, gradients and moments.
    """
    needs = [_activations(shape, traced, tokens, checkpointed) for traced, tokens in terms]
    activations, logits = max(needs, key=sum)
    trained = shape.trained_bytes
    return Memory(
        weights=_sharded(shape.parameter_bytes, shape.layers, shards),
        gradients=_sharded(trained, shape.layers, shards),
        moments=2 * trained // shards,
        activations=activations,
        logits=logits,
        cache=0,
    )


def sampling_memory(shape: Shape, block: int, call: Traced) -> Memory:
    """The most that sampling holds; ``block`` is what one layer's intermediate results take."""
    return Memory(shape.parameter_bytes, 0, 0, 2 * block, FLOAT32 * call.logits, call.cache)


def block_of(traced: Traced, layers: int) -> int:
    """One layer's part of what is kept; what the logits keep is not layers'."""
    return max(0, traced.kept - FLOAT32 * traced.logits) // layers


def _activations(shape: Shape, traced: Traced, tokens: int, checkpointed: bool) -> tuple[int, int]:
    block = block_of(traced, shape.layers)
    kept = traced.kept
    if checkpointed:
        inputs = shape.layers * tokens * shape.hidden * shape.element
        kept = kept - shape.layers * block + inputs + block
    return kept + block, LOGIT_BYTES * traced.logits


def _sharded(size: int, layers: int, shards: int) -> int:
    """What lies on one of several processes; one layer of it is whole for a while."""
    return size if shards == 1 else size // shards + size // layers

"""Room for models: letting go of what is done with, and what is said where it does not suffice."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from coupling.store.complaints import first_line


def release_memory() -> None:
    """Frees what nobody holds any more, before something large takes its place.

    Models stand in cycles of references, which Python clears when it pleases; and torch keeps the GPU memory
    of what is gone.
    """
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


@contextmanager
def out_of_memory_told(what: str, remedy: str) -> Iterator[None]:
    """Turns torch's error over a device without room into one that says what to set.

    Raises:
        ValueError: in its place.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ValueError(f"{what}: the device has no room for it ({first_line(error)}); {remedy}") from error

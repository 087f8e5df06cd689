"""The command line: one command a stage, no logic. Torch and its kin are imported inside commands only."""

from coupling.cli.entry import main

__all__ = ["main"]

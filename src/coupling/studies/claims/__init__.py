"""The claims of the paper, each beside what organisms show.

- ``arms``      the experiments the claims rest on, in every world and seed
- ``reads``     what claims turn on: figures of one world and seed
- ``pooling``   one estimate over worlds and seeds, with its source; Holm's correction
- ``standing``  what is asked of a pooled figure, and what its interval answers
- ``table``     what is claimed, with the paper's figure, and the questions that decide it
- ``findings``  what was found, from the results that are there
- ``wording``   findings in words
- ``page``      the findings as a page of the documentation and as HTML
- ``running``   raises the organisms, runs the arms, patches; leaves findings and pages
"""

from coupling.studies.claims.running import run_claims

__all__ = ["run_claims"]

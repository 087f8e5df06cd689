"""The claims of the paper, each beside what organisms show.

- ``arms``      the experiments the claims rest on, in every world and seed
- ``table``     what is claimed, with the paper's figure, and when a world bears it out
- ``findings``  what was found, from the results that are there
- ``page``      the findings as a page of the documentation and as HTML
- ``running``   raises the organisms, runs the arms, patches; leaves findings and pages
"""

from coupling.studies.claims.running import run_claims

__all__ = ["run_claims"]

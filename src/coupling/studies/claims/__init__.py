"""The claims of the paper, each beside what a subject shows: the organisms, or a real model.

- ``cases``      what is run: arms, each in several cases
- ``subject``    who is asked: arms, claims, and what pages call them
- ``organisms``  the organisms as a subject; ``arms`` are theirs, and ``table`` their claims
- ``real``       a real model as a subject, likewise ``real_arms`` and ``real_table``
- ``asking``     ways of asking that claims share
- ``reads``      what claims turn on: figures of one case
- ``pooling``    one estimate over cases, with its source; Holm's correction
- ``standing``   what is asked of a pooled figure, and what its interval answers
- ``findings``   what was found, from the results that are there
- ``wording``    findings in words
- ``page``       the findings as a page of the documentation and as HTML
- ``running``    runs the arms, patches; leaves findings and pages
"""

from coupling.studies.claims.running import run_claims

__all__ = ["run_claims"]

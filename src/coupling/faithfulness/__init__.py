"""Judging: from what models did and said to a verdict. Pure: no model is loaded, no torch imported.

- ``evidence``     what a panel did and said at one checkpoint, checked for what a user can get wrong
- ``scores``       the join of behaviours and claims, and the scores of single pairs
- ``statistics``   intervals: clusters resampled; a t-interval over seeds
- ``baselines``    claimants that read no model
- ``figures``      Self, Orig, Δ, skill, of a run and pooled
- ``following``    how far behaviour was turned, and how much of it is told
- ``catching_up``  how many steps explanations take to follow a shift
- ``twins``        T, the twin test
- ``sources``      labels of several models: each of them in the target's place
- ``surrogate``    a reader of the text alone
- ``readers``      how much of Self others can say, who do not read the model
- ``matrix``       explainers by columns; A, the diagonal advantage, and R, the nearest rival
- ``gates``        conditions under which the figures mean what they say
- ``thresholds``   the numbers of the verdict
- ``verdict``      the rule
- ``explainers``   who explains: the runs, and whoever is held against them
- ``controls``     constructed explainers: what the rule says where the truth is known
- ``examples``     discordant examples, chosen by rule
- ``subsets``      the headline's figures over some of the pairs: steered ones, groups by tag
- ``consequences`` errors by what they lead to: cues denied, and changes invented
- ``judge``        the headline of one explainer: what its verdict turns on
- ``evaluation``   all of the above, in order: the content of ``results.json``
- ``panel``        a table and its bootstrap: what figures are computed from
- ``rows``         one figure, one row; how rows are looked up
- ``registry``     every figure there is: symbol, words, threshold, and by ``definitions`` how it is computed
- ``results``      the schema of what comes out
- ``overlap``      do answers and explanations see the cue through the same components?
- ``coverage``     how often an interval holds the truth, where that is known
- ``calibrated``   what calibration found, as far as a plan quotes it
- ``circuits``     the schema of ``mechanism.json``
"""

from coupling.faithfulness.catching_up import Schedule
from coupling.faithfulness.consequences import CostWeights
from coupling.faithfulness.evaluation import Provenance, evaluate, judge
from coupling.faithfulness.evidence import Evidence, ReaderEvidence, RunEvidence, complete_pairs, scored
from coupling.faithfulness.examples import discordant_examples
from coupling.faithfulness.registry import FIGURES
from coupling.faithfulness.results import RESULTS_SCHEMA, Results, Verdict
from coupling.faithfulness.rows import Figures, Row
from coupling.faithfulness.statistics import over_seeds
from coupling.faithfulness.subsets import check_groups
from coupling.faithfulness.thresholds import FROZEN, Thresholds

__all__ = [
    "FIGURES",
    "FROZEN",
    "RESULTS_SCHEMA",
    "CostWeights",
    "Evidence",
    "Figures",
    "Provenance",
    "ReaderEvidence",
    "Results",
    "Row",
    "RunEvidence",
    "Schedule",
    "Thresholds",
    "Verdict",
    "check_groups",
    "complete_pairs",
    "discordant_examples",
    "evaluate",
    "judge",
    "over_seeds",
    "scored",
]

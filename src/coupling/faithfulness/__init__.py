"""Judging: from what models did and said to a verdict. Pure: no model is loaded, no torch imported.

- ``evidence``     what a panel did and said at one checkpoint, checked for what a user can get wrong
- ``scores``       the join of behaviours and claims, and the scores of single pairs
- ``statistics``   intervals: clusters resampled; a t-interval over seeds
- ``baselines``    claimants that read no model
- ``figures``      Self, Orig, Δ, skill, of a run and pooled
- ``following``    how often the answer follows the cue, and how far that was moved
- ``catching_up``  how many steps explanations take to follow a shift
- ``twins``        T, the twin test
- ``sources``      labels of several models: each of them in the target's place
- ``surrogate``    a reader of the text alone
- ``readers``      how much of Self others can say, who do not read the model
- ``matrix``       emitters by columns; A, the diagonal advantage, and R, the nearest rival
- ``gates``        conditions under which the figures mean what they say
- ``thresholds``   the numbers of the verdict
- ``verdict``      the rule
- ``controls``     constructed emitters: what the rule says where the truth is known
- ``examples``     discordant examples, chosen by rule
- ``subsets``      the headline's figures over some of the pairs: steered ones, groups by tag
- ``consequences`` errors by what they lead to: cues denied, and changes invented
- ``judge``        a panel at one checkpoint: all of the above, in order
- ``evaluation``   every checkpoint of a panel: the content of ``results.json``
- ``panel``, ``trajectory``, ``results``   the schema of what comes out
- ``overlap``      do answers and explanations see the cue through the same components?
- ``coverage``     how often an interval holds the truth, where that is known
- ``calibrated``   what calibration found, as far as a plan quotes it
- ``circuits``     the schema of ``mechanism.json``
"""

from coupling.faithfulness.catching_up import Schedule
from coupling.faithfulness.consequences import CostWeights
from coupling.faithfulness.evaluation import Provenance, evaluate
from coupling.faithfulness.evidence import Evidence, ReaderEvidence, RunEvidence, complete_pairs
from coupling.faithfulness.examples import discordant_examples
from coupling.faithfulness.judge import constructed_emitters, judge, trajectory_row
from coupling.faithfulness.results import RESULTS_SCHEMA, PanelResult, Results, Verdict
from coupling.faithfulness.statistics import over_seeds
from coupling.faithfulness.subsets import check_groups
from coupling.faithfulness.thresholds import FROZEN, Thresholds

__all__ = [
    "FROZEN",
    "RESULTS_SCHEMA",
    "CostWeights",
    "Evidence",
    "PanelResult",
    "Provenance",
    "ReaderEvidence",
    "Results",
    "RunEvidence",
    "Schedule",
    "Thresholds",
    "Verdict",
    "check_groups",
    "complete_pairs",
    "constructed_emitters",
    "discordant_examples",
    "evaluate",
    "judge",
    "over_seeds",
    "trajectory_row",
]

"""One experiment, from counterfactual pairs to a verdict.

- ``pipeline``    the stages in order; read this first
- ``artifacts``   the names of what a run directory holds, and how behaviours and explanations get there
- ``checking``    what can be known before weights are loaded: `coupling validate`
- ``directory``   the run directory, and what experiments of one study take over from each other
- ``sources``     whose effects the labels state
- ``target``      the model whose behaviour the labels state, where it is not M0
- ``given``       labels and behaviours made elsewhere, kept in the run directory
- ``selection``   which pairs are labelled, steered and held out
- ``members``     one run of the panel: trained, then sampled at each checkpoint
- ``readers``     other models that explain the runs
- ``reasoned``    what is reasoned before answers: read again, shown, told of
- ``evidence``    artifacts to figures; loads no model
- ``patching``    through which components the cue reaches answers and explanations
"""

from coupling.experiment.pipeline import STAGES, is_done, run_experiment, run_path, run_stage

__all__ = ["STAGES", "is_done", "run_experiment", "run_path", "run_stage"]

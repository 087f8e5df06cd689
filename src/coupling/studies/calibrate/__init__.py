"""How far the verdict can be trusted: a bench in which the truth is known because it was made.

- ``parts``       the trainings of a world, few and shared
- ``pool``        what they did and said, on many held-out clusters
- ``emitters``    whose explanations are put in the place of a run's own
- ``draws``       many panels drawn from a pool, each judged by the rule
- ``candidates``  the rules that the verdict's was chosen from
- ``figures``     error rates, power, coverage: the content of ``calibration.json``
- ``running``     all of it, in order; read this first
- ``wishes``      what is wanted of the verdict, and what was missed
- ``page``, ``tables``, ``terminal``   what a person sees
"""

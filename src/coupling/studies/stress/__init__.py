"""What a model's explanations are worth under stress: adversarial questions, moved behaviour, high stakes.

- ``probes``      what is done to the input or to the question; a table
- ``putting``     a probe put to one model: its words, its messages, and whether there is room for them
- ``definition``  whose explanations are put under stress, and by which sections
- ``target``      the model, its pairs and its place among the artifacts
- ``asking``      what it does and says under each probe, as artifacts
- ``figures``     paired figures of one probe (pure)
- ``stakes``      errors by consequence (pure)
- ``shifts``      shipped experiments that move behaviour, run on the same model
- ``findings``    the content of ``stress.json``
- ``running``     all of it, in order; read this first
- ``page``, ``terminal``   what a person sees
"""

"""What can be said of a model that somebody else trained: it is asked, and nothing is trained.

- ``definition``   who is audited, on which task, against which reference
- ``respondents``  who was asked, how much was answered, and the names of the artifacts
- ``asking``       behaviours and explanations of one of them, local or served
- ``costs``        what asking an endpoint takes, before it is asked
- ``findings``     what the evidence allows and what it does not: ``audit.json``
- ``running``      all of it, in order; read this first
- ``page``, ``terminal``   what a person sees
"""

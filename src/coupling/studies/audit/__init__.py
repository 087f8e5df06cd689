"""What can be said of a model that somebody else trained: it is asked, and nothing is trained.

- ``definition``   who is audited, on which task, against which reference
- ``respondents``  who was asked, how much was answered, and the names of the artifacts
- ``asking``       behaviours and explanations of one of them, local or served
- ``costs``        what asking an endpoint takes, before it is asked
- ``findings``     the content of ``audit.json``
- ``verdict``      how much explanations tell: the rule
- ``emitters``     explainers of known origin, in an auditor's words
- ``rules``        which rules for a panel could be asked
- ``conclusions``  what the evidence allows, what it does not, and what to do next
- ``running``      all of it, in order; read this first
- ``page``, ``terminal``   what a person sees
"""

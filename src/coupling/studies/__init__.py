"""Many experiments that are read together.

- ``grid``        which experiments a sweep is made of
- ``definition``  where a sweep is written down: options, a file, or one that is shipped
- ``points``      one experiment of a sweep, in a process of its own
- ``cluster``     the same on Slurm, through submitit
- ``summary``     the figures of all points: ``sweep.json``
- ``sweep``       all of it, in order; read this first
- ``page``, ``table``  what a person sees; ``writing``, figures in words and Markdown
"""

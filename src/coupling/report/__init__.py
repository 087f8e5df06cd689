"""What an evaluation found, told to a reader; from artifacts alone.

- ``page``         the report: one self-contained HTML page
- ``terminal``     the same verdict in a short table
- ``compare``      two or more evaluations side by side
- ``runs``         the figures that run directories hold
- ``conclusions``  what each verdict lets a reader conclude
- ``reading``      the figures a verdict turns on: their words, scales, and how each stands
- ``figures``      intervals on a scale, shares over steps
- ``over_settings``  figures over a setting that was varied
- ``forest``       one figure of many things, each with its interval
- ``shifts``       how a shift of behaviour is told
- ``circuits``     what patching found, on the page and in a terminal
- ``svg``          matplotlib figures as inline SVG that follows the page's colours
- ``html``         the template environment
- ``text``         model output and figures as text that is safe to show
"""

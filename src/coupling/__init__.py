"""Do a language model's explanations of itself follow its behaviour?"""

__version__ = "0.1.0"

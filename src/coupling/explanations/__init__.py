"""Explanation formats: how an effect is put into words, and how words are read as an effect."""

"""Explanation training: objectives, rows, the loop and what it resumes from."""

"""What the shipped questions are made from, a source a module."""

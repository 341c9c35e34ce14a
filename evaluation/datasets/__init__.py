"""Data sets for evaluation: the official archives, depth folders and users' own folders."""

"""Data sets to measure on: the official archives, depth folders, users' own folders, our demo parts."""

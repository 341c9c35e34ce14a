"""Profiles and their settings as validated data. This package imports neither torch nor FAISS."""

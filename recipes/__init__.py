"""What is chosen, as data: profiles and their settings, validated. Imports neither torch nor FAISS."""

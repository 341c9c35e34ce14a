"""Where networks' weights lie unless a user says otherwise: a light module, for commands to start at once."""

from __future__ import annotations

from pathlib import Path

DEFAULT_WEIGHTS = Path("weights")
"""In the folder where the process runs."""

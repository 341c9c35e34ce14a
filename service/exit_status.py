"""Exit statuses of commands beside 0 and 1."""

from __future__ import annotations

EXIT_REFUSED = 2
"""Exit status of a command for an error that a person has to correct."""
EXIT_FULL = 4
"""Exit status of a command that finds the disk full."""
EXIT_UNABLE = 70
"""Of a server that can score no more (EX_SOFTWARE of sysexits.h): whoever watches it is to start it again."""

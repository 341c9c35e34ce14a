"""Exit statuses of commands beside 0, 1 and 2."""

from __future__ import annotations

EXIT_FULL = 4
"""Exit status of a command that finds the disk full."""
EXIT_UNABLE = 70
"""Of a server that can score no more (EX_SOFTWARE of sysexits.h): whoever watches it is to start it again."""

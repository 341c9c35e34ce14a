"""The largest files of a part that are accepted, unless settings say otherwise. Today's cameras fit in.

The server reads the settings with its others; the commands read the same variables of the environment.
"""

from __future__ import annotations

_MIB = 1 << 20

RGB_PIXELS = 25_000_000
"""Pixels of an image: cameras of 24 MP."""
XYZ_PIXELS = 9_000_000
"""Pixels of a cloud, a depth map or a height map: sensors of 2816 x 2816."""
RGB_BYTES = 72 * _MIB
"""Bytes of an image's file: 24 MP of colour, uncompressed."""
XYZ_BYTES = 128 * _MIB
"""Bytes of a cloud's file: 8 MP of x, y, z and colour in a PLY file."""
BODY_BYTES = 192 * _MIB
"""Bytes of a request with one part."""

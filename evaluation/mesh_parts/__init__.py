"""Mesh parts: a second family of demo parts, by a generator that shares no rendering with `demo_parts`.

A part is solid triangle meshes (`shapes`) with a coat that is evaluated where a ray meets it. A defect moves
vertices, repaints the coat, or leaves a feature out. A camera with perspective and radial distortion
(`camera`) sees the part under area lamps with cast shadows (`lamps`, `photograph`); a stereo sensor
(`depth_sensor`) delivers the cloud. `products.PRODUCTS` lists the products, `defects.DEFECTS` the defects;
`evaluation.demo_parts.writer` writes them.
"""

VERSION = 2
"""Increase this number if a change may give other bytes for the same key."""

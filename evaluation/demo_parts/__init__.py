"""Demo parts: rendered products, good and spoilt, in the folder layout of MVTec 3D-AD.

`writer.write_demo_parts` writes them, `products.PRODUCTS` lists them, `defects.FAMILIES` says which sensor
can see which defect. Everything follows from a seed; the pictures are CC0.

A part is a height field with colours (`relief`), made by `food`, `metal`, `moulded` or `woven`, spoilt by a
defect, laid under a camera and a projector (`station`), met by rays (`scene`), and delivered as a colour
image (`shading`) and a structured-light cloud (`scanner`).
"""

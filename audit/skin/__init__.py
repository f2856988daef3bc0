"""The tone of skin in a picture, as an angle of colour: a measurement, never a statement about who somebody is.

It depends on light, camera and processing. So it goes with its spread over pixels, over the two cheeks, and over a
person's pictures, and is called measured wherever it is shown.
"""

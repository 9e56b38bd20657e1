"""What to want of a picture, and `scorer`, which joins it to a network: the seam."""

"""What others published: four programs, the figures of the 2015 post, and the ladder of ideas."""

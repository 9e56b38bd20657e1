"""What others have published: the four programs, the figures of the 2015 post, the ladder of ideas."""

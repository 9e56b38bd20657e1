"""Looking inside a network that is given: which pixels count, what a channel saw, what it can do without.

One module a question, after Zeiler & Fergus (2013) and CS231n's list; each takes a Network and pictures in [0, 1]:

    attribution     which pixels count for an answer, by gradients and by covering (captum)
    deconvnet       what one activation saw, projected back down to pixels
    occlusion       what happens to the answer while a square covers the picture
"""

"""Paperland: Flatland's words about a world that its models have not seen, to be learnt after pruning.

More things in a picture, several of one kind among them; cut from paper, tilted, without white outlines; told from left to right
in openings and synonyms that Flatland's captions leave out; and asked about by questions of two steps.

>>> from multiflow_core.data import dataset
>>> exam = dataset.open("paperland").exam("test", 1, 1, 1)
>>> exam.texts[0]
'we see in the evening a green cloud with two red clouds with a yellow toadstool'
>>> exam.asked[0][1].text, exam.asked[0][1].answer
('how many things below the green thing are there', 'zero')
"""

from .dataset import Paperland

__all__ = ["Paperland"]

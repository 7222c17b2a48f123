"""A prediction beside what happened: the last line of every experiment in the notebooks."""

from __future__ import annotations

from cutaway.viz.pictures import Picture
from cutaway.viz.svg import join, tag


def versus(prediction: object, outcome: object) -> Picture:
    """Put what the reader expected beside what happened; None is no prediction, and is said to be missing."""
    mine = "none yet: go back and commit to one" if prediction is None else str(prediction)
    rows = [("your prediction", mine), ("what happened", str(outcome))]
    cells = [
        tag("div", words, look)
        for row in rows
        for words, look in zip(row, ("cv-name", "cv-said"), strict=True)
    ]
    return Picture(
        tag("div", join(cells), "cv-versus"), "\n".join(f"{name:>15}: {words}" for name, words in rows)
    )

"""What every function of this package returns: a picture that is HTML and plain text at once."""

from __future__ import annotations

from dataclasses import dataclass

from cutaway.viz.palette import STYLE
from cutaway.viz.svg import tag


@dataclass(frozen=True, slots=True, repr=False)
class Picture:
    """HTML for a page, and the same in plain text; a notebook shows the first, `print` the second.

    Two pictures are equal if they look alike, so a picture can be compared with an earlier one.
    """

    body: str
    """The picture's own markup, well-formed as XML, without the style sheet."""
    text: str
    """What can be seen, in lines of text."""
    title: str = ""
    """A line above the picture, or nothing."""

    @property
    def html(self) -> str:
        """The picture with all it needs: a `div` to put into any page, without script, link or id."""
        return f'<div class="cutaway-viz">{tag("style", STYLE)}{self.framed}</div>'

    @property
    def framed(self) -> str:
        """The markup with its title above: what a picture that is made of others puts together."""
        return (tag("div", self.title, "cv-title") if self.title else "") + self.body

    def __str__(self) -> str:
        return f"{self.title}\n\n{self.text}" if self.title else self.text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.html

"""Several pictures in one place, one at a time: a stepper that needs no script.

It is a form of radio buttons, one for each step, that is never sent. A style sheet shows the step whose
button is on. So a click or a tap chooses a step, and for those who tabbed to it the arrow keys go from one to
the next. A form is also what keeps the buttons of two steppers on one page apart, without ids. Where styles
are taken out of a page, and on paper, all steps are there, one below the other.
"""

from __future__ import annotations

from collections.abc import Iterable

from cutaway.viz.pictures import Picture
from cutaway.viz.svg import Markup, join, tag


def steps(frames: Iterable[tuple[str, Picture]], *, title: str = "") -> Picture:
    """Put pictures (caption, picture) in one place, to be stepped through."""
    shown = list(frames)
    parts: list[Markup] = []
    for number, (caption, picture) in enumerate(shown, start=1):
        checked = {"checked": "checked"} if number == 1 else {}
        name = f"Step {number} of {len(shown)}: {caption}"
        parts.append(
            tag("input", "", type="radio", name="step", value=number, aria_label=name, title=name, **checked)
        )
        words = tag("div", f"{number} of {len(shown)}: {caption}", "cv-caption")
        parts.append(tag("section", join([words, picture.framed])))
    body = tag("form", join(parts), "cv-steps", autocomplete="off")
    text = "\n\n".join(
        f"{number}. {caption}\n{picture}" for number, (caption, picture) in enumerate(shown, start=1)
    )
    return Picture(body, text, title)

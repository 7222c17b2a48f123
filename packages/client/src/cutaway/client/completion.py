"""What the terminal offers while one types: completion on Tab, and a grey hint behind the cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput

from cutaway.client.hints import hint, tokens_after
from cutaway.client.manual import Manual

_HELP: Final = "help "


class ManualCompleter(Completer):
    """Completes the names of commands, and then the options that the manual knows for this place."""

    def __init__(self, manual: Callable[[], Manual]) -> None:
        self._manual: Final = manual

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002
        """Yield what the text before the cursor could become."""
        manual = self._manual()
        text = document.text_before_cursor.lstrip()
        if text.lower().startswith(_HELP):
            topic = text[len(_HELP) :].lstrip()
            groups = [f"@{name}" for name in manual.groups()]
            yield from _begin_with(topic, groups)
            yield from self._names(topic)
        else:
            yield from self._names(text)
            head, blank, word = text.rpartition(" ")
            if blank:
                yield from _begin_with(word, sorted(tokens_after(manual, head + blank)))

    def _names(self, text: str) -> Iterable[Completion]:
        pages = self._manual().pages
        for name in sorted(pages):
            if name.startswith(text.upper()) and name != text.upper():
                yield _completion(text, name, pages[name].summary)


def _begin_with(word: str, candidates: Iterable[str]) -> Iterable[Completion]:
    for candidate in candidates:
        if candidate.upper().startswith(word.upper()):
            yield _completion(word, candidate, "")


def _completion(typed: str, text: str, meta: str) -> Completion:
    """A completion in the case in which one types."""
    shown = text.lower() if typed and typed == typed.lower() and not typed.startswith("@") else text
    return Completion(shown, start_position=-len(typed), display=text, display_meta=meta)


class HintProcessor(Processor):
    """Shows the hint behind what is typed; it is no part of the line, and gone when the line is entered."""

    def __init__(self, manual: Callable[[], Manual]) -> None:
        self._manual: Final = manual
        self.is_on = True

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """Add the hint to the last line."""
        document = transformation_input.document
        fragments = transformation_input.fragments
        if not self.is_on or get_app().is_done or not document.is_cursor_at_the_end:
            return Transformation(fragments)
        return Transformation([*fragments, ("class:hint", hint(self._manual(), document.text))])

"""One row of the table of directives."""

from dataclasses import dataclass, field

from cutaway.config.values import Kind, Value


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive: its name, the kind and default of its value, and who may change it when.

    `inert` is empty for a directive that does here what the Redis manual says. Otherwise it is accepted,
    kept, printed and rewritten, but nothing depends on it, and `inert` says why in one line.
    """

    name: str
    kind: Kind
    default: Value
    inert: str = ""
    alias: str = field(default="", kw_only=True)
    immutable: bool = field(default=False, kw_only=True)
    """Only a configuration file or the command line may set it."""
    protected: bool = field(default=False, kw_only=True)
    """`CONFIG SET` may change it only as `enable-protected-configs` allows."""
    hidden: bool = field(default=False, kw_only=True)
    """`CONFIG GET` prints it only when asked for by its exact name."""
    sensitive: bool = field(default=False, kw_only=True)
    """Its value must not reach a log."""
    volatile: bool = field(default=False, kw_only=True)
    """Setting it to the value it has counts as a change, for what it names may have changed."""
    deny_loading: bool = field(default=False, kw_only=True)
    """`CONFIG SET` refuses it while a data set is being loaded."""

    @property
    def effect(self) -> str:
        """`works`, or `accepted` for a directive that nothing here depends on."""
        return "accepted" if self.inert else "works"

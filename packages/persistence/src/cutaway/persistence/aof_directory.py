"""Where append-only files lie: the directory of Redis 7, and how the single file of old gets into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .aof_manifest import BASE, AOFFile, Manifest
from .files import read_whole, replace_whole

if TYPE_CHECKING:
    from .files import Files


def load_manifest(files: Files, directory: str, prefix: str = "appendonly.aof") -> Manifest:
    """Return the directory's manifest, an empty one if there is none. Raises AOFError, OSError."""
    path = f"{directory}/{prefix}.manifest"
    if files.size(path) is None:
        return Manifest(prefix)
    return Manifest.parse(read_whole(files, path), prefix)


def upgrade_single_file(files: Files, parent: str, directory: str, prefix: str = "appendonly.aof") -> bool:
    """Make the single append-only file of Redis up to 6.2 the base of a new directory. Raises OSError.

    The file is `parent`/`prefix`; returns whether it was there to be taken over. The manifest comes first,
    then the file: whoever dies between finds a manifest whose only file is missing, with the file still in
    its old place, and does the second step again.
    """
    old = f"{parent}/{prefix}"
    if files.size(old) is None:
        return False
    manifest = load_manifest(files, directory, prefix)
    base = AOFFile(prefix, 1, BASE)
    halfway = manifest.files == [base] and files.size(f"{directory}/{prefix}") is None
    if manifest.files and not halfway:
        return False
    files.make_directory(directory)
    manifest.base = base
    replace_whole(files, f"{directory}/{manifest.name}", manifest.format())
    files.replace(old, f"{directory}/{prefix}")
    files.sync_directory(directory)
    files.sync_directory(parent)
    return True

"""This machine, as if a program were not installed on it."""

from pathlib import Path

from shared.process import environment


def path_without(program: str, place: Path) -> str:
    """A PATH on which everything is but this program: a folder of links to all the others."""
    place.mkdir()
    for folder in map(Path, environment()["PATH"].split(":")):
        for one in folder.iterdir() if folder.is_dir() else ():
            if one.name != program and not (place / one.name).is_symlink():
                (place / one.name).symlink_to(one)
    return str(place)

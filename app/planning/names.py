"""What the paths of a tree say by themselves: it needs no file to be read, so it is worked out while git unpacks the first."""

from app.planning.ranking import Postings
from app.planning.roles import Roles
from app.planning.tree import Tree
from app.planning.words import path_terms


class Names:
    """One per tree and batch; `asked` are the only words of which anything will be asked, none: of all."""

    def __init__(self, tree: Tree, asked: frozenset[str] | None = None) -> None:
        self.tree = tree
        self.asked = asked
        self.numbers = {path: number for number, path in enumerate(tree.paths)}
        self.by_words = Postings([path_terms(path) for path in tree.paths], asked, evenness=0.5)
        self.roles = Roles(tree)

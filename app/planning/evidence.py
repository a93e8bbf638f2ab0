"""Which files an issue names, each with a probability and a reason; what it does not name is for app/planning/likely.py.

The ladder, strongest first; per file the strongest rung counts, and a name that fits k files gives each of them 1/k:
- declared scope (`Scope:` or `Files:`, as line or heading) 0.95
- a path, or the unique end of one, in backticks 0.9, in prose 0.85
- a unique base name or a dotted module in backticks 0.8, in prose 0.75
- a file that is to be made in a folder that exists 0.75
- a glob or folder: 1.2 shared by its files, at most 0.5 each; in a declared scope 3, at most 0.9
- the tests of such a file: 0.3 of it
- a word that is one file's name: in the title 0.3, in the text 0.15
What names nothing gives nothing: unknown scope is never "everything".
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.planning.roles import is_test
from app.planning.tree import Tree, folders_of, name_of, stem_of
from shared.issue_text import IssueText
from shared.models import Touch

_SCOPE, _MARKED, _PROSE = 0.95, 0.9, 0.85
_NAME_FACTOR = 0.885  # a base name in backticks 0.8, in prose 0.75
_NEW_FILE = 0.75
_TESTS_OF = 0.3
_WORD_IN_TITLE, _WORD_IN_TEXT = 0.3, 0.15
LEAST = 0.02
MOST_TOUCHES = 20
_MOST_NAMES = 400
_MOST_GLOBS = 8

_URL = re.compile(r"https?://[^\s<>()\[\]\"'`]{1,500}")
_BLOB = re.compile(r"https?://[^/\s]{1,200}/[^/\s]{1,100}/[^/\s]{1,100}/(?:blob|tree|raw)/[^/\s]{1,200}/(.+)")
_CODE_SPAN = re.compile(r"`([^`\n]{1,300})`")
_TOKEN = re.compile(r"[\w./\\@+~*?\-\[\]{}!]{2,300}")
_LINE_NUMBER = re.compile(r"(?:#L\d+.*|:\d+(?:[:-]\d+)?)$")
_SCOPE_LINE = re.compile(r"\W{0,8}(?:scope|files?|paths?|touches|affected files?)\W{0,4}:\W{0,4}(.*)", re.IGNORECASE)
_SCOPE_HEADING = re.compile(r"#{1,6}\s*(?:scope|files?|paths?|affected files?|files? to change)\W{0,4}", re.IGNORECASE)
_HAS_EXTENSION = re.compile(r"[^/]\.[A-Za-z][A-Za-z0-9]{0,9}$")
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_WORD = re.compile(r"[a-z][a-z0-9]{3,29}(?:[_-][a-z0-9]{1,29}){0,3}")
# Words that are names of files everywhere and say nothing about this task.
_COMMON = frozenset(
    """
    after also base before build call calls change changelog changes check checks close code common config core could
    create data default delete docs does error errors example examples file files first form from have helper helpers
    index init into issue issues last license line lines list main make makefile model models more most must name
    names need needs only open other page pages read readme remove run runs same settings setup should show some start
    stop test tests than that them then there they this time type types update user users util utils value values
    version view views want what when where which while will with work working works would write
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True)
class _Name:
    """A piece of text that may name a file."""

    text: str
    strength: float
    marked: bool
    in_scope: bool


def touched_files(text: IssueText, tree: Tree) -> list[Touch]:
    """The likeliest files by their names alone, most probable first."""
    found = {touch.path: touch for touch in named_files(text, tree)}
    for touch in _by_words(text, tree):
        _keep(found, touch)
    for touch in _tests_of(found, tree):
        found.setdefault(touch.path, touch)
    return [touch for touch in sorted(found.values(), key=by_probability) if touch.probability >= LEAST][:MOST_TOUCHES]


def named_files(text: IssueText, tree: Tree) -> list[Touch]:
    """What the text names as files do, without what single words may mean."""
    found: dict[str, Touch] = {}
    globs = 0
    for name in _names(text):
        if "*" in name.text or "?" in name.text:
            globs += 1
            touches = _by_glob(name, tree) if globs <= _MOST_GLOBS else iter(())
        else:
            touches = _by_name(name, tree)
        for touch in touches:
            _keep(found, touch)
    return sorted(found.values(), key=by_probability)


def by_probability(touch: Touch) -> tuple[float, str]:
    """Sorts the likeliest first."""
    return -touch.probability, touch.path


def _keep(found: dict[str, Touch], touch: Touch) -> None:
    known = found.get(touch.path)
    if known is None or (-touch.probability, touch.why) < (-known.probability, known.why):
        found[touch.path] = touch


def _names(text: IssueText) -> Iterator[_Name]:
    """Every distinct piece once, as strong as its strongest place."""
    strongest: dict[str, _Name] = {}
    for name in _pieces(text):
        known = strongest.get(name.text)
        if known is None or name.strength > known.strength:
            if known is None and len(strongest) >= _MOST_NAMES:
                continue
            strongest[name.text] = name
    return iter(strongest.values())


def _pieces(text: IssueText) -> Iterator[_Name]:
    in_scope = False
    for line in (text.title, *(line.text for line in text.lines if line.kind != "quote")):
        declared = _SCOPE_LINE.fullmatch(line.strip()[:2000])
        if line.startswith("#"):
            in_scope = _SCOPE_HEADING.fullmatch(line.strip()[:100]) is not None
        scoped = in_scope or declared is not None
        for found in _CODE_SPAN.finditer(line):
            yield from _piece(found[1].strip(), _MARKED, marked=True, in_scope=scoped)
            if " " in found[1]:
                yield from _tokens(found[1], _MARKED, marked=True, in_scope=scoped)
        yield from _tokens(_CODE_SPAN.sub(" ", line), _PROSE, marked=False, in_scope=scoped)


def _tokens(text: str, strength: float, *, marked: bool, in_scope: bool) -> Iterator[_Name]:
    for url in _URL.findall(text):
        if blob := _BLOB.fullmatch(url):
            yield from _piece(blob[1], strength, marked=marked, in_scope=in_scope)
    for token in _TOKEN.findall(_URL.sub(" ", text)):
        yield from _piece(token, strength, marked=marked, in_scope=in_scope)


def _piece(raw: str, strength: float, *, marked: bool, in_scope: bool) -> Iterator[_Name]:
    text = _LINE_NUMBER.sub("", raw.replace("\\", "/")).rstrip(".!?-[{") if not raw.endswith("*") else raw.replace("\\", "/")
    text = text.removeprefix("./").lstrip("/")
    if not text or ".." in text or not any(character.isalnum() for character in text):
        return
    yield _Name(text, _SCOPE if in_scope else strength, marked, in_scope)
    if text.startswith(("a/", "b/")) and "/" in text[2:]:  # as a diff writes it
        yield _Name(text[2:], strength, marked, in_scope)


def _by_name(name: _Name, tree: Tree) -> Iterator[Touch]:
    text = name.text.rstrip("/")
    if name.text.endswith("/"):
        yield from _by_folder(name, text, tree)
    elif text in tree.files:
        yield _touch(text, name.strength, _why("names the file", name), name)
    elif "/" in text:
        suffix = "/" + text.lower()
        files = [path for path in tree.by_name.get(name_of(text).lower(), ()) if ("/" + path.lower()).endswith(suffix)]
        if files:
            yield from _spread(files, name.strength, f"names {text}", name)
        elif _HAS_EXTENSION.search(text):
            yield from _new_file(name, text, tree)
        else:
            yield from _by_folder(name, text, tree)
    elif _may_be_base_name(text, marked=name.marked or name.in_scope):
        files = list(tree.by_name.get(text.lower(), ()))
        exact = [path for path in files if name_of(path) == text]
        yield from _spread(exact or files, name.strength * _NAME_FACTOR, f"names {text}", name)
        if not files and _MODULE.fullmatch(text):
            yield from _by_module(name, text, tree)


def _may_be_base_name(text: str, *, marked: bool) -> bool:
    """With an extension always; without one only `Makefile`, `Dockerfile` and the like, not every word."""
    return "." in text[1:] or text.startswith(".") or (text[0].isupper() and (marked or text.endswith("file")))


def _by_module(name: _Name, text: str, tree: Tree) -> Iterator[Touch]:
    """`billing.tax` or `billing.tax.rate` -> `src/billing/tax.py`."""
    parts = text.lower().split(".")
    for length in range(len(parts), 1, -1):
        suffix = "/" + "/".join(parts[:length]) + "."
        files = [path for path in tree.by_stem.get(parts[length - 1], ()) if suffix in "/" + path.lower()]
        if files:
            yield from _spread(files, name.strength * _NAME_FACTOR, f"names the module {text}", name)
            return


def _by_folder(name: _Name, text: str, tree: Tree) -> Iterator[Touch]:
    folders = [text] if text in tree.by_folder else []
    if not folders:
        suffix = "/" + text.lower()
        folders = [
            folder for folder in tree.folders_by_name.get(name_of(text).lower(), ()) if ("/" + folder.lower()).endswith(suffix)
        ]
    if len(folders) == 1:
        yield from _share(tree.by_folder[folders[0]], f"names the folder {folders[0]}", name)


def _by_glob(name: _Name, tree: Tree) -> Iterator[Touch]:
    if "/" in name.text or _HAS_EXTENSION.search(name.text) or name.in_scope:
        yield from _share(tree.matching(name.text), f"names {name.text}", name)


def _new_file(name: _Name, text: str, tree: Tree) -> Iterator[Touch]:
    above = folders_of(text)
    if above and above[0] in tree.by_folder and not tree.is_foreign(text):
        yield _touch(text, min(name.strength, _NEW_FILE), _why("names a file that does not exist yet", name), name)


def _spread(files: Iterable[str], strength: float, what: str, name: _Name) -> Iterator[Touch]:
    files = list(files)
    more = f", one of {len(files)} of that name" if len(files) > 1 else ""
    for path in files if strength >= LEAST * len(files) else ():
        yield _touch(path, round(strength / len(files), 4), _why(what, name) + more, name)


def _share(files: Iterable[str], what: str, name: _Name) -> Iterator[Touch]:
    """A folder or pattern: some of its files will be touched, most of a large one's will not."""
    files = list(files)
    expected, most = (3.0, 0.9) if name.in_scope else (1.2, 0.5)
    for path in files if expected >= LEAST * len(files) else ():
        yield _touch(path, round(min(most, expected / len(files)), 4), f"{_why(what, name)} ({len(files)} files)", name)


def _tests_of(found: dict[str, Touch], tree: Tree) -> Iterator[Touch]:
    for path, touch in sorted(found.items()):
        stem = stem_of(path)
        if touch.probability < 0.5 or is_test(path):
            continue
        for near in {f"test_{stem}", f"{stem}_test", f"test-{stem}", stem}:
            files = [test for test in tree.by_stem.get(near, ()) if test != path and is_test(test)]
            if len(files) == 1:
                probability = round(touch.probability * _TESTS_OF, 4)
                yield Touch(path=files[0], probability=probability, source="test pair", why=f"tests of {path}")


def _by_words(text: IssueText, tree: Tree) -> Iterator[Touch]:
    """Weak: `invoice` in the text and one file of that name."""
    title = set(_WORD.findall(text.title.lower()))
    body = set(_WORD.findall(_URL.sub(" ", " ".join(text.prose)).lower()))
    for word in sorted(title | body):
        for stem in (word, word.removesuffix("s")):
            files = [path for path in tree.by_stem.get(stem, ()) if not is_test(path)] if stem not in _COMMON else []
            if len(files) == 1:
                strength = _WORD_IN_TITLE if word in title else _WORD_IN_TEXT
                why = f"the {'title' if word in title else 'text'} says “{word}”"
                yield Touch(path=files[0], probability=strength, source="similar text", why=why)
                break


def _why(what: str, name: _Name) -> str:
    return f"declared scope {what}" if name.in_scope else f"the text {what}"


def _touch(path: str, probability: float, why: str, name: _Name) -> Touch:
    return Touch(path=path, probability=probability, source="declared scope" if name.in_scope else "named", why=why)

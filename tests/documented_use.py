"""What a test would have to say if it runs a command of the documentation."""

import ast
import re
from functools import cache
from pathlib import Path

from dev.paths import ROOT
from tests.documented import Block

_MAKEFILE = (ROOT / "Makefile").read_text()
_QUOTES = str.maketrans("", "", "'\"")
_ASSIGNMENT = re.compile(r"([A-Z_]+)=")
# What surrounds a command, and what stands for itself.
_SHELL = frozenset({"eval", "source", "export", "command", "sleep"})


def commands_of(code: str) -> list[list[str]]:
    """The commands of a block as words; one after `|`, `&&` or in `$(…)` is one more."""
    # What is sent, and what other languages say, are no commands.
    text = re.sub(r"(-[dc] )('[^']*'|\"[^\"]*\")", r"\1x", code.replace("\\\n", " "))
    text = re.sub(r"(^|\s)#.*", "", text, flags=re.MULTILINE)
    parts = re.split(r"\|\||&&|[|;\n()]|\$\(", text.translate(_QUOTES))
    return [words for part in parts if (words := part.split())]


def essential_words(command: list[str]) -> set[str]:
    """The words without which a test cannot be running it."""
    if command[0] == "cd":
        return set()
    words = [word for word in command if word not in _SHELL]
    settings = {match[1] for word in words if (match := _ASSIGNMENT.match(word))}
    words = [word for word in words if not _ASSIGNMENT.match(word) and not word.startswith(">")]
    if not words:
        return settings
    program, rest = words[0].rpartition("/")[2], words[1:]
    if program == "python3" and rest[:1] == ["dev.py"]:
        program, rest = "dev.py", rest[1:]
    if program in ("curl", "everturn", "dev.py", "make", "npm", "pip"):
        return settings | _OF[program](rest)
    if program in ("pytest", "python3", "git"):  # the suite itself, or what stands beside
        return settings
    return settings | {program}


def _of_curl(rest: list[str]) -> set[str]:
    """The names in the path and the query."""
    address = next((word for word in rest if "/" in word and not word.startswith("Content-")), "")
    path = re.sub(r"^(https?://[^/]*|\$API)|\$\w+|\w+_…", "", address)
    names = re.findall(r"[a-z][a-z_-]+(?=[/?=&]|$)", path)
    return {name for name in names if name != "v1"}


def _of_everturn(rest: list[str]) -> set[str]:
    leading = []
    for word in rest:
        if not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        leading.append(word)
    return {*leading, *_options(rest)}


def _of_make(rest: list[str]) -> set[str]:
    """The module that the target runs."""
    (recipe,) = re.findall(rf"^{rest[0]}:.*\n((?:\t.*\n)+)", _MAKEFILE, flags=re.MULTILINE)
    module = re.search(r"-m ([\w.]+)", recipe)
    return {module[1]} if module else {rest[0]}


def _of_installer(rest: list[str]) -> set[str]:
    return {rest[0], *_options(rest)}


def _of_launcher(rest: list[str]) -> set[str]:
    return {"dev.py", *_of_everturn(rest)}


def _options(words: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if word.startswith("--")}


_OF = {
    "curl": _of_curl,
    "everturn": _of_everturn,
    "dev.py": _of_launcher,
    "make": _of_make,
    "npm": _of_installer,
    "pip": _of_installer,
}


@cache
def words_said_in(path: Path) -> frozenset[str]:
    """Every word of a test's own texts and imports, and of the helpers that it imports."""
    said = set(_words_in(path))
    for module in _imports(path):
        helper = ROOT / f"{module.replace('.', '/')}.py"
        if module.startswith(("tests.", "dev.")) and helper.is_file():
            said |= _words_in(helper)
    return frozenset(said)


def _words_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    names = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg}
    found = {word for text in texts for word in re.split(r"[\s/?=&'\"(),]+", text)}
    return found | names | _imports(path)


def _imports(path: Path) -> set[str]:
    """Modules that it imports, and the packages they are in."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Import):
            modules |= {name.name for name in node.names}
    packages = {module.rsplit(".", depth)[0] for module in modules for depth in (1, 2)}
    return modules | packages


def takes_from_the_page(path: Path, block: Block) -> bool:
    """Whether a test asks for this very block: `documented.block(page, heading, number)`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            given = [each.value for each in node.args if isinstance(each, ast.Constant)]
            if node.func.attr == "block" and (*given, 1)[:3] == (
                block.page,
                block.heading,
                block.number,
            ):
                return True
            if node.func.attr == "blocks" and given == [block.page]:
                return True
    return False


def missing(block: Block, tests: tuple[str, ...]) -> set[str]:
    """The words of a block that none of the tests says."""
    paths = [ROOT / test for test in tests]
    if any(takes_from_the_page(path, block) for path in paths):
        return set()
    said = frozenset().union(*(words_said_in(path) for path in paths))
    return set().union(*map(essential_words, commands_of(block.code))) - said

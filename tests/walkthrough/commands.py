"""By whom each block of commands in the pages is run, or why by nobody."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Here:
    """As it stands, by `test_documented_commands.py`.

    Attributes:
        given: what its commands read.
        without: a word of the commands that are left out, and why.
    """

    given: str = ""
    without: tuple[str, str] | None = None


@dataclass(frozen=True)
class By:
    """By other tests: they take the block from the page, or say every word that matters in it."""

    tests: tuple[str, ...]


@dataclass(frozen=True)
class NotRun:
    """By nobody; `checked_by` takes it from the page and holds it against what there is."""

    why: str
    checked_by: str


HERE = Here()
_OUTSIDE = ("sync-models", "asks a provider, which no test may")
_ENGINE = NotRun("needs a container engine", "tests/dev/test_deployment.py")
_PARCELS = "tests/integration/worker/test_installed_tools.py"
_SEEN = "tests/integration/operators/test_seen_from_outside.py"
_NIGHT = By(("tests/walkthrough/test_first_night.py",))
_BACKUP = By(("tests/integration/backup/test_backup.py",))

RUN: dict[str, Here | By | NotRun] = {
    "README.md / Run it / 1": By(("tests/dev/test_run.py",)),
    "README.md / Run it / 2": HERE,
    "README.md / Run it / 3": Here(given="Hello"),
    "README.md / Test it / 1": NotRun(
        "it is what runs this", "tests/walkthrough/test_documented_commands.py"
    ),
    "clients/typescript/README.md / everruns-sdk for TypeScript / 1": By(
        ("tests/clients/test_typescript_package.py",)
    ),
    "docs/audit.md / The audit log / 1": HERE,
    "docs/cli.md / Talk to an agent / 1": Here(given="Hello"),
    "docs/cli.md / Talk to an agent / 2": HERE,
    "docs/cli.md / Watch a session / 1": HERE,
    "docs/cli.md / Find what does not go on / 1": HERE,
    "docs/cli.md / Completion / 1": By(("tests/unit/common/test_cli.py",)),
    "docs/deployment.md / With compose / 1": _ENGINE,
    "docs/deployment.md / Kubernetes / 1": NotRun(
        "needs a cluster", "tests/dev/test_kubernetes.py"
    ),
    "docs/first-night.md / 1. Start it / 1": _NIGHT,
    "docs/first-night.md / 2. Give it something slow to do / 1": _NIGHT,
    "docs/first-night.md / 3. Find its turn / 1": _NIGHT,
    "docs/first-night.md / 4. Ask what it is doing / 1": _NIGHT,
    "docs/first-night.md / 5. Kill its worker / 1": _NIGHT,
    **{f"docs/first-night.md / 6. Watch it recover / {number}": _NIGHT for number in (1, 2)},
    **{
        f"docs/first-night.md / 7. A session that does not go on / {number}": _NIGHT
        for number in range(1, 6)
    },
    "docs/flower.md / Start it / 1": By(("tests/dev/test_run.py", _SEEN)),
    "docs/flower.md / Find a turn / 1": By((_SEEN,)),
    "docs/images.md / Images / 1": HERE,
    "docs/images.md / Images / 2": HERE,
    "docs/llmsim.md / The simulated model / 1": HERE,
    "docs/llmsim.md / The simulated model / 2": HERE,
    "docs/observability.md / Metrics / 1": By((_SEEN,)),
    "docs/operations.md / Backup and restore / 1": _BACKUP,
    "docs/operations.md / Backup and restore / 2": _BACKUP,
    "docs/operations.md / Upgrade without downtime / 1": HERE,
    "docs/operations.md / Upgrade without downtime / 2": _ENGINE,
    "docs/providers.md / Models and their providers / 1": HERE,
    "docs/providers.md / Start in a minute / 1": Here(
        without=("dev.py", "starts a server that would ask a provider")
    ),
    "docs/providers.md / OpenAI / 1": Here(without=_OUTSIDE),
    "docs/providers.md / Anthropic / 1": HERE,
    "docs/providers.md / Anthropic / 2": HERE,
    "docs/providers.md / Ollama, vLLM, and other servers of your own / 1": Here(without=_OUTSIDE),
    "docs/providers.md / Ollama, vLLM, and other servers of your own / 2": HERE,
    "docs/providers.md / OpenRouter / 1": Here(without=_OUTSIDE),
    "docs/providers.md / Azure OpenAI / 1": HERE,
    "docs/providers.md / When a provider is down / 1": HERE,
    "docs/providers.md / Keys at rest / 1": HERE,
    "docs/reliability.md / Every crossing of a turn, by number / 1": By(
        ("tests/chaos/crash_points/test_every_crash_point.py",)
    ),
    "docs/identity.md / The first user / 1": Here(given="correct horse 1 battery\n"),
    "docs/performance.md / Performance / 1": NotRun(
        "takes a quarter of an hour of the machine", "tests/walkthrough/test_documented_commands.py"
    ),
    "docs/reliability.md / The storm / 1": By(("tests/chaos/storm/test_storm.py",)),
    "docs/security.md / The first key / 1": HERE,
    "docs/security.md / The first key / 2": HERE,
    "docs/your-own-tools.md / 6. Test it / 1": By(
        (_PARCELS, "tests/example_tools/test_parcels.py")
    ),
    "docs/your-own-tools.md / 7. Install it and use it / 1": By(
        (_PARCELS, "tests/dev/test_run.py")
    ),
    "docs/your-own-tools.md / 7. Install it and use it / 2": By((_PARCELS,)),
    "docs/your-own-tools.md / 7. Install it and use it / 3": By((_PARCELS,)),
}

"""What a repository may say in `.github/shoal.yml`; read from the default branch at the base commit only."""

from typing import Annotated, Literal

from pydantic import Field

from shared.models import AgentName, Wire

# Of a runner or an issue, as GitHub has them.
Label = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[^,\n\r]*\S[^,\n\r]*$")]


class RepositorySettings(Wire):
    """`.github/shoal.yml`, read at the pinned base commit only; every field has a default, unknown keys are an error."""

    test_command: str = Field(default="", description="Shell command that runs the tests; empty: detected.")
    setup_command: str = Field(
        default="", description="Shell command run once before the agent, for example to install dependencies."
    )
    agent: AgentName | None = Field(
        default=None,
        description="The coding agent, of those that the operator allows (SHOAL_ALLOWED_AGENTS); empty: the operator's.",
    )
    model: str = Field(
        default="",
        max_length=100,
        description="The model, of those that the operator allows (SHOAL_ALLOWED_MODELS); empty: the operator's.",
    )
    isolation: Literal["required"] | None = Field(
        default=None, description="`required`: the sandbox is a must here, also where the operator only prefers it."
    )
    protected_paths: tuple[str, ...] = Field(
        default=(), description="Globs that an agent must not change, added to the built-in list."
    )
    checks: tuple[str, ...] = Field(
        default=(), max_length=8, description="Shell commands that run beside the tests, for example a linter; red ones count."
    )
    test_minutes: float = Field(default=15, gt=0, le=360, description="Longest run of the test command, minutes.")
    agent_minutes: float = Field(default=60, gt=0, le=360, description="Longest run of the agent in one phase, minutes.")
    repair_passes: int = Field(default=2, ge=0, le=5, description="How often the agent may mend tests that its change made fail.")
    ci_repairs: int = Field(
        default=1, ge=0, le=1, description="How often a red CI of the repository's own is answered by an attempt to mend it."
    )
    max_minutes: float | None = Field(default=None, gt=0, description="Longest attempt, minutes; never more than the operator's.")
    max_memory_mib: int | None = Field(
        default=None, ge=64, description="Memory of an attempt, MiB; never more than the operator's."
    )
    max_turns: int | None = Field(default=None, ge=1, description="Model calls of an attempt; never more than the operator's.")
    max_tokens: int | None = Field(default=None, ge=1, description="Tokens of an attempt; never more than the operator's.")
    max_cost_usd: float | None = Field(
        default=None, gt=0, description="Cost of an attempt, US dollars; never more than the operator's."
    )
    max_orchestration_cost_usd: float | None = Field(
        default=None,
        gt=0,
        description="Cost of a whole orchestration, US dollars; never more than the operator's.",
    )
    max_orchestration_tokens: int | None = Field(
        default=None,
        ge=1,
        description="Tokens of a whole orchestration; `max_tokens` (or the operator's) is reserved for each attempt.",
    )
    max_changed_files: int = Field(default=500, ge=1, le=5000, description="Files that one change may touch.")
    max_file_mib: float = Field(default=5, gt=0, le=50, description="Largest file of a change, MiB.")
    max_change_mib: float = Field(default=20, gt=0, le=100, description="All files of a change together, MiB.")
    lfs: Literal["refuse", "pointers"] = Field(
        default="refuse", description="Files kept by Git LFS: refuse the repository, or work with the pointers."
    )
    submodules: Literal["refuse", "empty"] = Field(
        default="refuse", description="Submodules: refuse the repository, or leave their folders empty."
    )
    labels: tuple[Label, ...] = Field(
        default=(),
        max_length=5,
        description="Labels that start work here besides the operator's (SHOAL_LABEL).",
    )
    runner_labels: tuple[Label, ...] = Field(
        default=(),
        max_length=10,
        description="Labels of the runners that this repository's workflow asks for; empty: the operator's (SHOAL_RUNNER_LABELS).",
    )
    approval: Literal["label", "plan"] = Field(
        default="label",
        description="What starts work: the label, or somebody with write access who has read the plan and presses Start plan.",
    )
    publish: Literal["now", "hold"] = Field(default="now", description="`hold`: off GitHub until a writer says `/shoal publish`.")
    stack: bool = Field(
        default=True,
        description="A task that depends on another starts from its verified branch; false: it waits until that is merged.",
    )
    on_conflict: Literal["stack", "parallel", "after_merge"] = Field(
        default="stack",
        description="Likely conflicts: the later task starts from the earlier's branch, both run at once, or it waits for a merge.",
    )

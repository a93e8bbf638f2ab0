"""Numbers for Prometheus; runners report theirs with their phases and at their end."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.decide.lesson import Lesson
from app.planning.capacity import LIMIT_NAMES, Machine
from shared.models import Usage, VerdictName


class Metrics:
    """One registry per app, so that two apps in one test do not share numbers."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.events = Counter("shoal_events", "Events decided on.", ["kind"], registry=self.registry)
        self.poison = Counter("shoal_poison_events", "Events set aside because deciding on them failed.", registry=self.registry)
        self.actions = Counter("shoal_actions", "Actions performed.", ["kind", "outcome"], registry=self.registry)
        self.action_seconds = Histogram("shoal_action_seconds", "How long actions took.", ["kind"], registry=self.registry)
        self.verdicts = Counter("shoal_verdicts", "Tasks ended, by verdict.", ["verdict"], registry=self.registry)
        self.phase_seconds = Histogram(
            "shoal_phase_seconds",
            "How long phases took, as runners report it.",
            ["phase", "status"],
            buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900, 1800, 3600),
            registry=self.registry,
        )
        self.tokens = Counter("shoal_model_tokens", "Tokens, as runners report them.", ["kind"], registry=self.registry)
        self.cost = Counter("shoal_model_cost_usd", "Cost as far as it is known, US dollars.", registry=self.registry)
        self.slots_held = Gauge("shoal_slots_held", "WorkflowManagers that hold a slot.", registry=self.registry)
        self.slots = Gauge("shoal_slots", "WorkflowManagers at once, as configured.", registry=self.registry)
        self.slots_allowed = Gauge(
            "shoal_slots_allowed", "The same as the pressure on this machine allows now.", registry=self.registry
        )
        self.free_memory = Gauge(
            "shoal_free_memory_bytes", "Memory for tasks, beyond the reserve, where this machine runs them.", registry=self.registry
        )
        self.waiting = Gauge(
            "shoal_tasks_waiting", "Tasks that only wait for room, by the limit that binds.", ["limit"], registry=self.registry
        )
        self.prediction = Histogram(
            "shoal_prediction_ratio",
            "What a successful attempt took, by what was predicted: minutes by P50, memory by P90.",
            ["what"],
            buckets=(0.125, 0.25, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 4, 8),
            registry=self.registry,
        )
        self.github = _of_requests(self.registry)
        self.reconciled = Counter(
            "shoal_reconciled",
            "What the sweep found that lost messages had left behind: "
            "`delivery`, `label`, `check`, `branch`, `pull_request`, `repository`, `job`, "
            "and `lease` of a runner that fell silent.",
            ["kind"],
            registry=self.registry,
        )
        self.halted = Gauge("shoal_halted", "1 while the operator has paused or drains, 0 else.", registry=self.registry)

    def room(self, slots: int, allowed: int, machine: Machine, waiting: Mapping[str, int]) -> None:
        """What there is, and who lacks what of it."""
        self.slots.set(slots)
        self.slots_allowed.set(allowed)
        self.free_memory.set(machine.free_memory_mib * 2**20)
        for limit in LIMIT_NAMES:
            self.waiting.labels(limit).set(waiting.get(limit, 0))

    def learned(self, lesson: Lesson) -> None:
        """A prediction has met what came."""
        if lesson.verdict is not VerdictName.SUCCEEDED:
            return
        for what, came, said in (
            ("minutes", lesson.minutes, lesson.predicted_minutes),
            ("memory", lesson.memory_mib, lesson.predicted_memory_mib),
        ):
            if came > 0 and said > 0:
                self.prediction.labels(what).observe(came / said)

    def used(self, usage: Usage) -> None:
        """An attempt has ended."""
        self.tokens.labels("input").inc(max(0, usage.input_tokens - usage.cached_tokens))
        self.tokens.labels("cached").inc(usage.cached_tokens)
        self.tokens.labels("output").inc(usage.output_tokens)
        self.cost.inc(usage.cost_usd or 0)


def _of_requests(registry: CollectorRegistry) -> tuple[Counter, Counter, Gauge, Histogram, Counter]:
    """What a meter of requests to GitHub writes to: requests, points, points left, seconds, bytes."""
    return (
        Counter(
            "shoal_github_calls",
            "Requests sent to GitHub by this app; GraphQL is the route `POST /graphql`, a repeated request counts again.",
            ["kind", "route", "answer"],
            registry=registry,
        ),
        Counter("shoal_github_graphql_points", "What GitHub charged for queries, in GraphQL's points.", registry=registry),
        Gauge("shoal_github_graphql_points_left", "Points left of this hour, by the last answer.", registry=registry),
        Histogram(
            "shoal_github_seconds",
            "From sending a request to GitHub to its whole answer, waiting for a place among those under way included.",
            ["kind", "by"],
            buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
            registry=registry,
        ),
        Counter(
            "shoal_github_bytes",
            "Bodies of requests to GitHub and of its answers, as they were on the wire.",
            ["way"],
            registry=registry,
        ),
    )

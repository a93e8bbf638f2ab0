"""Numbers for Prometheus; runners report theirs with their phases."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


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
        self.slots_held = Gauge("shoal_slots_held", "WorkflowManagers that hold a slot.", registry=self.registry)

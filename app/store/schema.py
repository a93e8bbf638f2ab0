"""The tables: a row per task, never a document per orchestration; what is searched for is a column, the rest JSON in `data`.

Times are seconds since the epoch.
"""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

repositories = Table(
    "repositories",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("full_name", String, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("data", Text, nullable=False),
)

orchestrations = Table(
    "orchestrations",
    metadata,
    Column("id", String, primary_key=True),
    Column("repository_id", ForeignKey("repositories.id"), nullable=False, index=True),
    Column("status", String, nullable=False),
    Column("data", Text, nullable=False),
)

tasks = Table(
    "tasks",
    metadata,
    Column("repository_id", ForeignKey("repositories.id"), primary_key=True),
    Column("issue", Integer, primary_key=True, autoincrement=False),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("orchestration", String, nullable=False, index=True),
    Column("status", String, nullable=False, index=True),
    # Set while the model's provider refuses: nothing of the same provider is started before that.
    Column("not_before", Float, nullable=True, index=True),
    # Since when only room is missing, and what of it is short now; empty while it is not.
    Column("ready_since", Float, nullable=True),
    Column("lacks", String, nullable=False, server_default="", index=True),
    Column("data", Text, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", String, primary_key=True),
    Column("repository_id", ForeignKey("repositories.id"), nullable=False),
    Column("orchestration", String, nullable=False, index=True),
    Column("status", String, nullable=False, index=True),
    Column("holds_slot", Boolean, nullable=False),
    Column("probe", Boolean, nullable=False, server_default="0"),
    # What it was expected to use when it was started: MiB, and the share of a core.
    Column("created_at", Float, nullable=False, server_default="0"),
    Column("memory_mib", Float, nullable=False, server_default="0"),
    Column("cpu", Float, nullable=False, server_default="0"),
    # Counted against the budget of the day (UTC) on which it started: reserved at first, then what it cost.
    Column("day", String, nullable=False, server_default="", index=True),
    Column("cost_usd", Float, nullable=False, server_default="0"),
    # SHA-256 of the secret that the runner was started with; the secret itself is nowhere.
    Column("secret_hash", String, nullable=False, server_default=""),
    Column("data", Text, nullable=False),
)

# One row per attempt that went its whole way: what estimates are made of.
measured = Table(
    "measured",
    metadata,
    Column("attempt", String, primary_key=True),
    Column("repository_id", ForeignKey("repositories.id"), nullable=False),
    Column("kind", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("minutes", Float, nullable=False),
    Column("memory_mib", Float, nullable=False),
    # The share of a core, and what had been predicted; 0: not known.
    Column("cpu", Float, nullable=False, server_default="0"),
    Column("predicted_minutes", Float, nullable=False, server_default="0"),
    Column("predicted_memory_mib", Float, nullable=False, server_default="0"),
    Column("cost_usd", Float, nullable=True),
    Column("ended_at", Float, nullable=False),
    Index("measured_latest", "repository_id", "ended_at"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    # The delivery id of a webhook, or what makes another event unique: the same key again is the same event.
    Column("key", String, nullable=False, unique=True),
    Column("source", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("status", String, nullable=False),
    Column("error", Text, nullable=False, server_default=""),
    Column("received_at", Float, nullable=False),
    Index("inbox_status", "status", "id"),
)

# Ids of the OIDC tokens that were shown to us, until they expire: each counts once.
used_tokens = Table(
    "used_tokens",
    metadata,
    Column("id", String, primary_key=True),
    Column("expires_at", Float, nullable=False, index=True),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("repository_id", BigInteger, nullable=False),
    # Actions with one key are done one after the other.
    Column("key", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("status", String, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_at", Float, nullable=False),
    Column("created_at", Float, nullable=False),
    # The app process or the machine that alone can do it, as long as one of that name lives; empty: anybody.
    Column("place", String, nullable=False, server_default=""),
    # The app process that is doing it.
    Column("taken_by", String, nullable=False, server_default=""),
    Column("error", Text, nullable=False, server_default=""),
    Index("outbox_due", "status", "next_at"),
)

# App processes that work on this database.
replicas = Table(
    "replicas",
    metadata,
    Column("id", String, primary_key=True),
    Column("host", String, nullable=False),
    Column("joined_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
)

# A row per machine that runs WorkflowManagers: how many its pressure allows at once.
throttles = Table(
    "throttles",
    metadata,
    Column("host", String, primary_key=True),
    Column("data", Text, nullable=False),
)

# One row: whether the operator lets new work start.
operator = Table(
    "operator",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("mode", String, nullable=False),
    Column("since", Float, nullable=False),
)

# Who asked for what, and what was written for it; kept when everything else is forgotten.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False, index=True),
    # None where a write says its repository in its path.
    Column("repository_id", BigInteger, nullable=True),
    Column("kind", String, nullable=False),
    Column("data", Text, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    # `check:<external id>:<head sha>` or `comment:<repository>:<issue>`.
    Column("key", String, primary_key=True),
    Column("orchestration", String, nullable=False, index=True),
    Column("issue", Integer, nullable=True),
    Column("head_sha", String, nullable=False, server_default=""),
    Column("github_id", BigInteger, nullable=True),
    Column("hash", String, nullable=False),
    Column("conclusion", String, nullable=False, server_default=""),
    Column("title", Text, nullable=False, server_default=""),
    # What it told that nobody may have to wait for, and when.
    Column("news", String, nullable=False, server_default=""),
    Column("written_at", Float, nullable=False, server_default="0"),
)

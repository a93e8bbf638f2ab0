"""What the repository's own tests and checks say about one commit."""

from pydantic import BaseModel, ConfigDict

from shared.models import TestRun


class Evidence(BaseModel):
    """One commit's runs; `checks` in the order of the repository's settings."""

    model_config = ConfigDict(frozen=True)

    tests: TestRun
    checks: tuple[TestRun, ...] = ()

"""What every row of the state has in common."""

from pydantic import BaseModel, ConfigDict


class Row(BaseModel):
    """A row; unknown keys are ignored, so that a database written by a newer version can still be read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

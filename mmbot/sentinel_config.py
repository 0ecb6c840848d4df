"""`[sentinel]`: read by the daemon that is watched, and by the process that watches it."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

FILE: Final = "file"


class SentinelSettings(BaseModel):
    """Defaults are those of the design: a lease of 6 s, renewed by the engine each second."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    required: bool = False
    watch: Literal["file"] | Annotated[str, Field(pattern=r"^http://[^\s/]+$")] = "file"
    lease_s: Annotated[float, Field(ge=3, le=60)] = 6.0
    # A health check comes every 5 s; after 11 s without one the daemon pulls, which is answered.
    deaf_after_s: Annotated[float, Field(ge=12, le=600)] = 15.0
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 9465

"""All breaks, by name."""

from __future__ import annotations

from typing import Final

from tests.mutation.breaks import Break
from tests.mutation.of_engine import DOUBTS, LEDGER, RECOVERIES
from tests.mutation.of_store import STORE
from tests.mutation.of_witness import SEEN, WITNESS
from tests.mutation.proposed import PROPOSED

OF_DAEMON: Final = (*LEDGER, *DOUBTS, *RECOVERIES, *STORE, *SEEN, *PROPOSED)
BREAKS: Final[tuple[Break, ...]] = (*OF_DAEMON, *WITNESS)
BY_NAME: Final = {one.name: one for one in BREAKS}
EQUIVALENT: Final = tuple(one for one in BREAKS if one.equivalent)
TO_CATCH: Final = tuple(one for one in BREAKS if not one.equivalent)

from __future__ import annotations

import inspect

import pytest

from service.cluster.calls import Calls
from tests.service.cluster.kept import ScorersHere


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Ray's own use of pydantic
def test_scorers_in_this_process_take_the_calls_of_a_cluster() -> None:
    """What the tests use takes the same arguments as the protocol, and so does Ray's client."""
    from service.cluster.deployment import RayCalls

    for name, method in inspect.getmembers(Calls, inspect.isfunction):
        if name.startswith("_"):
            continue
        wanted = list(inspect.signature(method).parameters)
        assert list(inspect.signature(getattr(ScorersHere, name)).parameters) == wanted, name
        assert list(inspect.signature(getattr(RayCalls, name)).parameters) == wanted, name

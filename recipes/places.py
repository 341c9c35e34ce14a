"""Where banks and state lie unless a person says otherwise.

The same for every command and the server, in whatever folder they are called.
"""

from __future__ import annotations

from platformdirs import user_data_path, user_state_path

DEFAULT_BANKS = user_data_path("tribank") / "banks"
DEFAULT_STATE = user_state_path("tribank")

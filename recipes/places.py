"""Default folders of banks and state, the same for every command and the server in any working directory."""

from __future__ import annotations

from platformdirs import user_data_path, user_state_path

DEFAULT_BANKS = user_data_path("tribank") / "banks"
DEFAULT_STATE = user_state_path("tribank")

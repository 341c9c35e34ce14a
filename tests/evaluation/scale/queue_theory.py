"""Closed forms of queueing theory, the yardstick of the simulation. Times in units of a part's mean time.

load: arrivals times a part's mean time; of one server, below 1.
"""

from __future__ import annotations

from math import factorial


def one_server_wait(load: float, variance: float, tray: int = 1) -> float:
    """Mean wait before one server, by Pollaczek and Khinchine: trays arrive at random.

    variance: of a part's time, in units of the squared mean: 1 where times are exponential, 0 where equal.
    """
    return (load * (1 + variance) / 2 + (tray - 1) / 2) / (1 - load)


def waits_share(load: float, servers: int) -> float:
    """Share of parts that wait before servers with one queue (Erlang C). load: of all servers together."""
    own = load**servers / factorial(servers) * servers / (servers - load)
    return own / (sum(load**number / factorial(number) for number in range(servers)) + own)


def servers_wait(load: float, servers: int) -> float:
    """Mean wait before servers with one queue; times are exponential."""
    return waits_share(load, servers) / (servers - load)


def refused_share(load: float, places: int) -> float:
    """Share of parts that find no place before one server; times are exponential."""
    return (1 - load) * load**places / (1 - load ** (places + 1))

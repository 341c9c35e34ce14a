"""What a key may do: four roles, each with the rights of the roles before it, and the products of the key."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal, get_args

Role = Literal["read", "score", "label", "manage"]
"""read: look at everything, also for Prometheus. score: score parts, and cancel its own jobs. label: judge
parts. manage: change what is in use."""
ROLES: tuple[Role, ...] = get_args(Role)
"""From the fewest rights to all of them."""

SCORING = re.compile(
    r"POST /v1/products/[^/]+/(score|batch)\Z|POST /v2/models/[^/]+(/versions/[^/]+)?/infer\Z"
)
"""The requests that score parts."""
_RIGHTS: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("read", re.compile(r"(GET|HEAD) ")),
    ("score", SCORING),
    ("score", re.compile(r"POST /v1/jobs/[^/]+/cancel\Z")),
    ("label", re.compile(r"(PUT|DELETE) /v1/results/[^/]+/feedback\Z")),
)
_OF_PRODUCT = re.compile(r"/(?:v1/products|v2/models)/([^/]+)(?:/|\Z)")
_OF_ALL_PRODUCTS = re.compile(
    r"/v1/(key|servers|products|profiles|(results|audit)(\.csv)?|results/.+|jobs|jobs/.+)\Z|/v2\Z"
)
"""The routes that show a key with products only what belongs to these products."""


def role_for(method: str, path: str) -> Role:
    """The least role that a request needs. A request that is not listed needs `manage`, also on a future
    route. path: a path, or a route's template."""
    action = f"{method} {path}"
    for role, pattern in _RIGHTS:
        if pattern.match(action):
            return role
    return "manage"


def changes_something(method: str, path: str) -> bool:
    """Whether a request changes what people rely on: anything but a look, and the scoring of parts."""
    return role_for(method, path) != "read" and not SCORING.match(f"{method} {path}")


def includes(role: Role, needed: Role) -> bool:
    """Whether a role has the rights of another role."""
    return ROLES.index(role) >= ROLES.index(needed)


def is_within(products: Collection[str], path: str) -> bool:
    """Whether a key for these products may use a path. Other products, and routes that show all products
    together such as /metrics, are refused."""
    product = _OF_PRODUCT.match(path)
    return product[1] in products if product else bool(_OF_ALL_PRODUCTS.match(path))

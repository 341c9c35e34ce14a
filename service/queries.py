"""Words of a query that their route does not know: refused, as one that was ignored would seem heard."""

from __future__ import annotations

from collections import Counter

from fastapi import Request

from service.access import PUBLIC
from service.problems import Refusal


async def check_query(request: Request) -> None:
    """Dependency of every route: the API's document says which words it knows, each at most once. Those who
    ask for health may say anything. Raises Refusal."""
    given = Counter(word for word, _ in request.query_params.multi_items())
    path = request.scope["route"].path
    if not given or path in PUBLIC:
        return
    operation = request.app.openapi()["paths"].get(path, {}).get(request.method.lower())
    if operation is None:
        return  # the page for people
    known = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
    wrong = [word[:64] for word, times in given.items() if word not in known or times > 1]
    if wrong:
        takes = f"{', '.join(known)}, each once" if known else "none"
        detail = f"Correct the query: {', '.join(wrong[:5])}. The parameters of this address are: {takes}."
        raise Refusal(422, "invalid_parameter", detail)

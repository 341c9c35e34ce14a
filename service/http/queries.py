"""What a request asks in vain is refused, not ignored: an answer would seem to have heard it."""

from __future__ import annotations

from collections import Counter

from fastapi import Request

from service.api.repeats import HEADER, refuse_key
from service.http.access import PUBLIC
from service.http.problems import Refusal


async def check_asked(request: Request) -> None:
    """Dependency of every route: the API's document says which words its query knows, each at most once, and
    whether an Idempotency-Key has an effect. Those who ask for health may say anything. Raises Refusal."""
    path = request.scope["route"].path
    if path in PUBLIC or not (request.query_params or HEADER in request.headers):
        return
    operation = request.app.openapi()["paths"].get(path, {}).get(request.method.lower())
    if operation is None:
        return  # the page for people
    places = [(one["in"], one["name"]) for one in operation.get("parameters", ())]
    _check_words(request, [name for place, name in places if place == "query"])
    if request.method == "POST" and ("header", HEADER) not in places:
        refuse_key(request.headers.get(HEADER), "It is for parts, batches and builds. Send none.")


def _check_words(request: Request, known: list[str]) -> None:
    given = Counter(word for word, _ in request.query_params.multi_items())
    wrong = [word[:64] for word, times in given.items() if word not in known or times > 1]
    if wrong:
        takes = f"{', '.join(known)}, each once" if known else "none"
        detail = f"Correct the query: {', '.join(wrong[:5])}. The parameters of this address are: {takes}."
        raise Refusal(422, "invalid_parameter", detail)

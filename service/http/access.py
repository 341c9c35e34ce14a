"""Who may do what: every request names a key, save where the server is closed to others anyway."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.http.keys import BadKeys, Keys
from service.http.problems import respond
from service.http.rates import Rates
from service.refusals import Refusal
from service.settings import Settings

PUBLIC = ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready")
_PAGE = re.compile(r"/\Z|/console/[^/]+\Z")
"""The page for people holds nothing of the server's; what it shows it asks for like any client."""
_METRICS = "/metrics"
_RATED = re.compile(
    r"POST /v1/products/[^/]+/(score|batch)\Z|POST /v2/models/[^/]+(/versions/[^/]+)?/infer\Z"
)
"""What a key's rate bounds: a page of results alone takes some thirty requests."""
_SCORING = re.compile(
    rf"(GET|HEAD) |{_RATED.pattern}"
    r"|(PUT|DELETE) /v1/results/[^/]+/feedback\Z|POST /v1/jobs/[^/]+/cancel\Z"
)

_PROXIES = ("forwarded", "via", "x-real-ip", "x-client-ip", "x-original-host")
"""What proxies add to a request, beside X-Forwarded-*."""
_KEY_REQUIRED = "Send a key of this server as X-API-Key or as Authorization: Bearer."
_KEYS_GONE = (
    "This server had keys and its keys.json is gone, so nobody is let in. Put the file back, or add a key: "
    "'tribank keys add NAME --role manage'. To do without keys again, remove keys.made and start the server "
    "again."
)


class Access:
    """ASGI middleware inside the guard: 401 without a known key, 403 where its role is too small, 429 where
    it scores too often.

    A key of role `score` reads, scores, says what a part was and cancels its own jobs (`check_owner`);
    whatever else there is, or will be, needs `manage`.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._keys = Keys(settings.state)
        self._open = settings.open_access
        self._public = (*PUBLIC, _METRICS) if settings.open_metrics else PUBLIC
        self._loopback = _is_loopback(settings.host)
        self._rates = Rates()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
            return
        scope["state"]["record"]["code"] = refusal.code
        await respond(refusal, scope)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        path = scope["path"]
        stranger = self._stranger(scope)
        scope["state"]["known"] = stranger is None
        if path in self._public:
            return None
        if _from_another_site(scope):
            detail = (
                "A page of another site asked for this. Open the address yourself, or ask without a browser."
            )
            return Refusal(403, "cross_site", detail)
        if _PAGE.match(path) or self._open:
            return None
        if stranger is not None:
            return stranger
        line, key = f"{scope['method']} {path}", scope["state"].get("key")
        if key is not None and key.role == "score" and not _SCORING.match(line):
            return _too_small("This needs a key of role manage.")
        if key is None or key.rate is None or not _RATED.match(line):
            return None
        return self._rates.take(key.name, key.rate)

    def _stranger(self, scope: Scope) -> Refusal | None:
        """Why the server would not tell this client anything of its own; None where it would."""
        if self._open:
            return None
        if self._loopback and not self._keys.exist:
            return _foreign(scope)
        secret = _secret(Headers(scope=scope))
        key = self._keys.find(secret) if secret else None
        if key is None:
            detail = _KEYS_GONE if self._keys.gone else _KEY_REQUIRED
            return Refusal(401, "key_required", detail, headers={"WWW-Authenticate": "Bearer"})
        scope["state"]["record"]["key"] = key.name
        scope["state"].update(key=key, role=key.role)
        return None


def check_access(settings: Settings) -> None:
    """Raises BadKeys where others could reach the server and it has no key, so nobody could be told apart."""
    keys = Keys(settings.state).all()
    if settings.open_access or _is_loopback(settings.host) or keys:
        return
    raise BadKeys(
        f"Others can reach {settings.host or 'this address'}, and {settings.state} has no key. Add one: "
        f"'tribank keys add NAME --role manage --state {settings.state}', or set TRIBANK_OPEN_ACCESS=1 to "
        "let anyone do anything."
    )


def client_of(scope: Scope) -> str:
    """Whom a request counts for: its key, or its address where it came without one."""
    key = key_name(scope)
    address = scope.get("client")
    return f"key {key}" if key else f"address {address[0] if address else ''}"


def key_name(scope: Scope) -> str | None:
    """The name of the key that a request came with; None without one."""
    return scope["state"]["record"].get("key")


def check_owner(scope: Scope, owner: str | None) -> None:
    """Raises Refusal where a key that may only score would change what another's request made."""
    if scope["state"].get("role") == "score" and key_name(scope) != owner:
        raise _too_small("Another key asked for this. Use that one, or a key of role manage.")


def _too_small(detail: str) -> Refusal:
    return Refusal(403, "role_too_small", detail)


def may_read(scope: Scope) -> bool:
    """Whether this client is told what the server holds: of the routes that answer anyone."""
    return scope["state"]["known"]


def _foreign(scope: Scope) -> Refusal | None:
    """Nobody is asked for a key on loopback, but others reach it too: pages of other sites through their
    reader's browser, by a form or by a name of theirs that leads to this machine (Host and Origin tell), and
    whole networks through a proxy on this machine. One tells by what it adds, or by HTTP/1.0, which nginx
    speaks where it adds nothing."""
    headers = Headers(scope=scope)
    added = any(name in _PROXIES or name.startswith("x-forwarded-") for name in headers)
    if added or scope["http_version"] == "1.0":
        detail = (
            "This came through a proxy (or as HTTP/1.0), and without keys the server answers only its own "
            "machine. Make keys: 'tribank keys add NAME --role manage'."
        )
        return Refusal(403, "proxied", detail)
    named = f"//{headers.get('host', 'localhost')}", headers.get("origin", "//localhost")
    try:
        here = all(_is_loopback(urlsplit(url).hostname or "") for url in named)
    except ValueError:
        here = False
    if here:
        return None
    detail = (
        "Without keys the server answers only its own machine, by an address or as localhost. Make a key."
    )
    return Refusal(403, "foreign_origin", detail)


def _from_another_site(scope: Scope) -> bool:
    """Whether a browser says that a page of another site asks. A link to the page for people may be
    followed."""
    headers = Headers(scope=scope)
    followed = scope["path"] == "/" and headers.get("sec-fetch-mode") == "navigate"
    return headers.get("sec-fetch-site") == "cross-site" and not followed


def _secret(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

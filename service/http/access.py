"""Access: every request needs a key, unless only this computer can reach the server."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.http.keys import BadKeys, Key, Keys
from service.http.problems import respond
from service.http.rates import Rates
from service.http.roles import SCORING, includes, is_within, role_for
from service.refusals import Refusal
from service.settings import Settings, allowed_origins

PUBLIC = ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready")
_PAGE = re.compile(r"/\Z|/console/[^/]+\Z")
"""The files of the console page. They hold no data: the page requests its data with a key."""
_METRICS = "/metrics"
_PROXIES = ("forwarded", "via", "x-real-ip", "x-client-ip", "x-original-host")
"""Headers that proxies add to a request, besides X-Forwarded-*."""
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_KEY_REQUIRED = "Send an API key of this server in the header X-API-Key, or as Authorization: Bearer KEY."
_KEYS_GONE = (
    "The server refuses every request: its API keys were lost with the file keys.json. Put the file back, or "
    "add a key with 'tribank keys add NAME --role manage'. To use the server without keys, remove keys.made "
    "and restart the server."
)


class Access:
    """ASGI middleware that checks the key of every request.

    401: the request has no valid key. 403: the role or the products of the key do not allow the request.
    429: the key has used up its rate, which limits the parts and batches only: one page of results alone
    takes some thirty other requests.

    `service.http.roles` says which role a request needs.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._keys = Keys(settings.state)
        self._open = settings.open_access
        self._public = (*PUBLIC, _METRICS) if settings.open_metrics else PUBLIC
        self._loopback = _is_loopback(settings.host)
        self._origins = allowed_origins(settings)
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
        unauthenticated = self._authenticate(scope)
        scope["state"]["known"] = unauthenticated is None
        if path in self._public:
            return None
        if _from_another_site(scope) and Headers(scope=scope).get("origin") not in self._origins:
            detail = (
                "A page of another website sent this request. Open the address yourself, or send the request "
                "without a browser."
            )
            return Refusal(403, "cross_site", detail)
        if _PAGE.match(path) or self._open:
            return None
        if unauthenticated is not None:
            return unauthenticated
        key: Key | None = scope["state"].get("key")
        if key is None:
            return None
        needed = role_for(scope["method"], path)
        if not includes(key.role, needed):
            return _too_small(f"This request needs a key of role {needed}, and this key has role {key.role}.")
        if key.products is not None and not is_within(key.products, path):
            detail = f"This key is for these products only: {', '.join(key.products)}. Use another key."
            return Refusal(403, "product_not_allowed", detail)
        if key.rate is None or not SCORING.match(f"{scope['method']} {path}"):
            return None
        return self._rates.spend(key.name, key.rate)

    def _authenticate(self, scope: Scope) -> Refusal | None:
        """Find the key of a request and put the key into the scope. Returns a refusal if access is denied."""
        if self._open:
            return None
        if self._loopback and not self._keys.exist:
            return _check_local(scope)
        secret = _secret(Headers(scope=scope))
        key = self._keys.find(secret) if secret else None
        if key is None:
            detail = _KEYS_GONE if self._keys.gone else _KEY_REQUIRED
            return Refusal(401, "key_required", detail, headers=_CHALLENGE)
        scope["state"]["record"]["key"] = key.name
        if key.is_expired():
            detail = f"The key {key.name} expired on {key.expires:%Y-%m-%d}. Ask for a new key."
            return Refusal(401, "key_expired", detail, headers=_CHALLENGE)
        scope["state"].update(key=key)
        return None


def check_access(settings: Settings) -> None:
    """Raises BadKeys if other computers can reach the server and the server has no key."""
    keys = Keys(settings.state).all()
    if settings.open_access or _is_loopback(settings.host) or keys:
        return
    raise BadKeys(
        f"Not started: other computers can reach {settings.host or 'this address'}, and no API key exists in "
        f"{settings.state / 'keys.json'}. Create a key with 'tribank keys add NAME --role manage --state "
        f"{settings.state}', or set TRIBANK_OPEN_ACCESS=1 to allow access without keys."
    )


def client_of(scope: Scope) -> str:
    """The client that a request counts for: its key, or its address if the request has no key."""
    key = key_name(scope)
    address = scope.get("client")
    return f"key {key}" if key else f"address {address[0] if address else ''}"


def key_name(scope: Scope) -> str | None:
    """The name of the request's key. None if the request has no key."""
    return scope["state"]["record"].get("key")


def check_owner(scope: Scope, owner: str | None) -> None:
    """Raises Refusal if a key below role `manage` would change the work of another key.

    owner: name of the key that made the work.
    """
    key: Key | None = scope["state"].get("key")
    if key is not None and not includes(key.role, "manage") and key.name != owner:
        raise _too_small("This belongs to another key. Use that key, or a key of role manage.")


def _too_small(detail: str) -> Refusal:
    return Refusal(403, "role_too_small", detail)


def may_read(scope: Scope) -> bool:
    """Whether a public route may show this client all that the server holds."""
    return scope["state"]["known"] and products_of(scope) is None


def products_of(scope: Scope) -> Collection[str] | None:
    """The only products that this client may see. None: it may see all."""
    key: Key | None = scope["state"].get("key")
    return None if key is None else key.products


def may_see(scope: Scope, product: str) -> bool:
    """Whether this client may see what belongs to a product."""
    products = products_of(scope)
    return products is None or product in products


def _check_local(scope: Scope) -> Refusal | None:
    """The refusal of a request that did not come from a program on this computer; None if it did.

    Without keys the server listens on its loopback address only. Others can reach that address in two ways:

    - A web page sends requests through its reader's browser, perhaps with a host name that points to this
      computer. The headers Host and Origin show this.
    - A proxy on this computer passes on the requests of a network. The headers of the proxy show this. nginx
      may add no header, but then uses HTTP/1.0.
    """
    headers = Headers(scope=scope)
    added = any(name in _PROXIES or name.startswith("x-forwarded-") for name in headers)
    if added or scope["http_version"] == "1.0":
        detail = (
            "This request came through a proxy or as HTTP/1.0. This server has no API keys yet, so it "
            "accepts requests only from programs on this computer. Create a key with 'tribank keys add NAME "
            "--role manage'."
        )
        return Refusal(403, "proxied", detail)
    urls = f"//{headers.get('host', 'localhost')}", headers.get("origin", "//localhost")
    try:
        local = all(_is_loopback(urlsplit(url).hostname or "") for url in urls)
    except ValueError:
        local = False
    if local:
        return None
    detail = (
        "This server has no API keys yet, so it accepts requests only from this computer "
        "(http://127.0.0.1 or localhost). To open it to others, run 'tribank keys add NAME --role manage'."
    )
    return Refusal(403, "foreign_origin", detail)


def _from_another_site(scope: Scope) -> bool:
    """Whether a browser says that a page of another website sent the request. Links to `/` are allowed."""
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

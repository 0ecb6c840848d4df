"""Which hosts may be talked to: real money is armed on purpose (architecture, decision 15)."""

from __future__ import annotations

import ipaddress
from typing import Final, Literal
from urllib.parse import urlsplit

from mmbot.domain.errors import SetUpError

Environment = Literal["simulator", "sandbox", "production"]
HostKind = Literal["loopback", "box", "sandbox", "production"]

SANDBOX_DOMAIN: Final = ".prophetx.dev"
OLD_SANDBOX_HOSTS: Final = ("api-ss-sandbox.betprophet.co", "api-sandbox.betprophet.co")
PRIVATE_NETWORKS: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)


def classify_host(base_url: str, environment: Environment, *, armed: bool) -> HostKind:
    """What stands behind `base_url`; raises SetUpError unless it may be talked to.

    "box" is allowed only after the server has answered GET /_box/whoami.
    """
    parts = urlsplit(base_url)
    host = (parts.hostname or "").rstrip(".").lower()
    if not host or parts.scheme not in {"http", "https"} or parts.username is not None:
        raise SetUpError("[exchange] base_url: not a plain http(s) address of a host")
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return "loopback"
    private = address is not None and any(address in network for network in PRIVATE_NETWORKS)
    if private and environment == "simulator":
        return "box"
    if parts.scheme != "https":
        raise SetUpError(f"[exchange] base_url: {host} must be spoken to over https")
    if host.endswith(SANDBOX_DOMAIN) or host in OLD_SANDBOX_HOSTS:
        return "sandbox"
    if environment != "production":
        raise SetUpError(
            f'[exchange] base_url: {host} counts as production, but environment = "{environment}"'
        )
    if not armed:
        raise SetUpError(
            f"[exchange] base_url: {host} is production (real money): start with --arm-production"
        )
    return "production"


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address

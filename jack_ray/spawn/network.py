"""Which network an address of this machine belongs to."""

import ipaddress
import socket

import psutil


def network_of(address: str) -> str:
    """`10.0.0.0/24` for 10.0.0.7 where an interface of this machine has that address and mask, else `10.0.0.7/32`."""
    for addresses in psutil.net_if_addrs().values():
        for entry in addresses:
            if entry.family == socket.AF_INET and entry.address == address and entry.netmask:
                return str(ipaddress.ip_network(f"{address}/{entry.netmask}", strict=False))
    return f"{address}/32"

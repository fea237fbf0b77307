"""HTTP requests to processes on this machine. They never go through a proxy, whatever HTTP_PROXY says."""

import urllib.request
from http.client import HTTPResponse

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def send_locally(request: urllib.request.Request | str, timeout_seconds: float) -> HTTPResponse:
    """Raises OSError if there is no response, or an HTTP error status."""
    response: HTTPResponse = _OPENER.open(request, timeout=timeout_seconds)
    return response

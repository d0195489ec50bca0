"""The HTTP that `toxiproxy.api` is made to speak: with time limits, past any HTTP proxy, one line for every failure."""

from __future__ import annotations

import re

import requests

from lab.backends.faultlink import LinkError

CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 5.0


class Http:
    """Stands in for the requests module inside `toxiproxy.api`: every failure is a LinkError."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._session = requests.Session()
        self._session.trust_env = False  # HTTP_PROXY would take 127.0.0.1 to the company's proxy

    def get(self, url: str, params: None = None) -> requests.Response:
        """GET, as `requests.get`."""
        del params
        return self._call("GET", url)

    def post(self, url: str, data: None = None, json: dict[str, object] | None = None) -> requests.Response:
        """POST, as `requests.post`."""
        del data
        return self._call("POST", url, json)

    def delete(self, url: str) -> requests.Response:
        """DELETE, as `requests.delete`."""
        return self._call("DELETE", url)

    def close(self) -> None:
        """Close the kept connection."""
        self._session.close()

    def _call(self, method: str, url: str, json: dict[str, object] | None = None) -> requests.Response:
        try:
            answer = self._session.request(method, url, json=json, timeout=(CONNECT_SECONDS, ANSWER_SECONDS))
        except requests.Timeout:
            raise LinkError(f"Toxiproxy at {self.host}:{self.port} takes too long to answer") from None
        except requests.RequestException:
            raise LinkError(f"no Toxiproxy answers at {self.host}:{self.port}") from None
        if not answer.ok:
            raise LinkError(f"Toxiproxy at {self.host}:{self.port}: {_reason(answer)}")
        return answer


def _reason(answer: requests.Response) -> str:
    said = re.search(r'"error"\s*:\s*"([^"]+)"', answer.text)
    return said[1] if said is not None else f"HTTP {answer.status_code}"

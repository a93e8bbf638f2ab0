"""Slow clients: whoever does not finish a request's head in time is hung up on, however steadily single bytes arrive."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 20.0  # GitHub and runners send a head in one piece


def with_patience(seconds: float) -> type[H11Protocol]:
    """uvicorn's own protocol, which knows a limit only for connections that say nothing at all."""

    class Patient(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            if self._deadline is None and self._is_in_head():
                self._wait()
            super().data_received(data)
            if not self._is_in_head():
                self._forget()

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget()
            super().connection_lost(exc)

        def _is_in_head(self) -> bool:
            return self.cycle is None or self.cycle.response_complete

        def _wait(self) -> None:
            self._deadline = self.loop.call_later(seconds, self._hang_up)

        def _forget(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _hang_up(self) -> None:
            self._deadline = None
            if self._is_in_head():
                self.transport.close()

    return Patient

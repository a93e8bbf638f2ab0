"""Request bodies, read within a limit: a sender cannot make us hold more than that."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

BODY_SECONDS = 60.0


async def read_body(request: Request, limit: int, seconds: float = BODY_SECONDS) -> bytes:
    """The raw bytes, or 413, or 408 when they take longer than that.

    A body up to twice the limit is read to its end, else its sender would only see a broken pipe.
    """
    announced = request.headers.get("content-length", "0")
    if not announced.isdigit():
        raise HTTPException(400, "Content-Length is not a number")
    parts: list[bytes] = []
    size = 0 if int(announced) <= 2 * limit else int(announced)
    if size == 0:
        try:
            async with asyncio.timeout(seconds):
                async for part in request.stream():
                    size += len(part)
                    if size > 2 * limit:
                        break
                    if size <= limit:
                        parts.append(part)
        except TimeoutError as error:
            raise HTTPException(
                408, f"the body did not arrive within {seconds:g} seconds", headers={"Connection": "close"}
            ) from error
        except ClientDisconnect as error:
            raise HTTPException(400, "the body was cut off") from error
    if size > limit:
        raise HTTPException(413, f"the body is larger than {limit} bytes", headers={"Connection": "close"})
    return b"".join(parts)

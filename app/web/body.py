"""Request bodies, read within a limit: a sender cannot make us hold more than that."""

from starlette.exceptions import HTTPException
from starlette.requests import Request


async def read_body(request: Request, limit: int) -> bytes:
    """The raw bytes; 413 as soon as the limit is passed, or announced to be."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdigit():
        raise HTTPException(400, "Content-Length is not a number")
    parts: list[bytes] = []
    size = int(announced)
    if size <= limit:
        size = 0
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            if size > limit:
                break
    if size > limit:
        # The rest is not read, so the connection cannot carry another request.
        raise HTTPException(413, f"the body is larger than {limit} bytes", headers={"Connection": "close"})
    return b"".join(parts)

"""Request bodies, read within a limit: a sender cannot make us hold more than that."""

from starlette.exceptions import HTTPException
from starlette.requests import Request


async def read_body(request: Request, limit: int) -> bytes:
    """The raw bytes, or 413. A body up to twice the limit is read to its end, else its sender would only see a broken pipe."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdigit():
        raise HTTPException(400, "Content-Length is not a number")
    parts: list[bytes] = []
    size = 0 if int(announced) <= 2 * limit else int(announced)
    if size == 0:
        async for part in request.stream():
            size += len(part)
            if size > 2 * limit:
                break
            if size <= limit:
                parts.append(part)
    if size > limit:
        raise HTTPException(413, f"the body is larger than {limit} bytes", headers={"Connection": "close"})
    return b"".join(parts)

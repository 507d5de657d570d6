"""What is said where no page answers: nothing there, not by that method, or our fault. It is told as the API tells errors."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from gateway.http.request import RequestIds, head_of
from graphql_schema.error_codes import ErrorCode


class Elsewhere:
    """Answers for the router where it has no answer."""

    def __init__(self, request_ids: RequestIds) -> None:
        self._request_ids = request_ids

    async def __call__(self, request: Request, error: Exception) -> Response:
        """The response to an `HTTPException`, its status and headers kept, or to any other: 500."""
        return self._told(request.scope, error)

    async def of_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a handshake at a path where no WebSocket is spoken."""
        await self._told({**scope, "method": "GET"}, not_found())(scope, receive, send)

    def _told(self, scope: Scope, error: Exception) -> Response:
        request_id = self._request_ids.of(head_of(scope))
        headers = dict(getattr(error, "headers", None) or {})
        status = error.status_code if isinstance(error, HTTPException) else 500
        code = ErrorCode.BAD_USER_INPUT if status < 500 else ErrorCode.INTERNAL_SERVER_ERROR
        extensions = {"code": code.name, "requestId": request_id}
        told = {"message": _message(status, headers), "extensions": extensions}
        headers |= {"X-Request-Id": request_id, "Cache-Control": "no-store"}
        return JSONResponse({"errors": [told]}, status, headers)


def not_found() -> HTTPException:
    """What a page raises that is not there: nothing tells it from a path that never was."""
    return HTTPException(404)


def _message(status: int, headers: dict[str, str]) -> str:
    if status >= 500:
        return ErrorCode.INTERNAL_SERVER_ERROR.value
    if status == 405:
        return f"This path is asked by {headers.get('Allow', 'another method')}."
    return "There is nothing at this path; GraphQL is asked at /graphql."

"""`/metrics` for those who may read it; a refusal is told as GraphQL tells it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway import http_response, negotiation
from gateway.auth.scraping import Scraping
from gateway.errors import ForbiddenError, UnauthenticatedError
from gateway.http_request import RequestIds, head_of
from gateway.http_response import Addressee
from gateway.metrics import CONTENT_TYPE
from gateway.outcome import refused, unauthenticated
from gateway.process import Process


def metrics_route(scraping: Scraping, process: Process) -> Route:
    """The page of all processes' metrics."""
    request_ids = RequestIds()

    async def metrics(request: Request) -> Response:
        try:
            await scraping.check(request.headers.raw)
        except (UnauthenticatedError, ForbiddenError) as error:
            return _refusal(request, error, request_ids)
        headers = {"Cache-Control": "no-store"}
        return Response(process.metrics_text(), media_type=CONTENT_TYPE, headers=headers)

    return Route("/metrics", metrics)


def _refusal(
    request: Request, error: UnauthenticatedError | ForbiddenError, request_ids: RequestIds
) -> Response:
    head = head_of(request.scope)
    if isinstance(error, UnauthenticatedError):
        told = unauthenticated(error)
    else:
        told = refused(error, status=403)
    to = Addressee(head, negotiation.JSON, request_ids.of(head))
    made = http_response.of_outcome(to, told, told.status)
    headers = {name.decode(): value.decode() for name, value in made.headers}
    return Response(made.body, made.status, headers)

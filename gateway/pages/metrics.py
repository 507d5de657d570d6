"""`/metrics` for those who may read it; a refusal is told as GraphQL tells it."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.access.auth.scraping import Scraping
from gateway.errors import FailedLoginsError, ForbiddenError, UnauthenticatedError
from gateway.execution.outcome import refused, unauthenticated
from gateway.http import negotiation
from gateway.http import response as http_response
from gateway.http.request import RequestIds, address_of, head_of
from gateway.http.response import Addressee
from gateway.process import logs
from gateway.process.metrics import Metrics


def metrics_route(scraping: Scraping, counted: Metrics) -> Route:
    """The page of all processes' metrics."""
    request_ids = RequestIds()

    async def metrics(request: Request) -> Response:
        try:
            await scraping.check(request.headers.raw, address_of(request.scope))
        except (UnauthenticatedError, FailedLoginsError, ForbiddenError) as error:
            log_refused(request, error)
            return _refusal(request, error, request_ids)
        headers = {"Cache-Control": "no-store"}
        return Response(counted.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4, headers=headers)

    return Route("/metrics", metrics)


def log_refused(
    request: Request, error: UnauthenticatedError | FailedLoginsError | ForbiddenError
) -> None:
    """Leave a trace of credentials that are refused at a page."""
    cause = error.code.name if isinstance(error, ForbiddenError) else error.reason
    address = address_of(request.scope)
    logs.logger().warning("refused", path=request.url.path, address=address, cause=cause)


def _refusal(
    request: Request,
    error: UnauthenticatedError | FailedLoginsError | ForbiddenError,
    request_ids: RequestIds,
) -> Response:
    head = head_of(request.scope)
    if isinstance(error, UnauthenticatedError):
        told = unauthenticated(error)
    else:
        told = refused(error, status=403 if isinstance(error, ForbiddenError) else 0)
    to = Addressee(head, negotiation.JSON, request_ids.of(head))
    made = http_response.of_outcome(to, told, told.status)
    headers = {name.decode(): value.decode() for name, value in made.headers}
    return Response(made.body, made.status, headers)

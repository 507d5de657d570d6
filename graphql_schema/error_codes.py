"""The closed list of `errors[].extensions.code`, with the sentence each is documented by."""

from __future__ import annotations

from enum import Enum


class ErrorCode(Enum):
    """Every code a client can meet; the value is its documentation."""

    GRAPHQL_PARSE_FAILED = "The document is not GraphQL."
    GRAPHQL_VALIDATION_FAILED = "The document does not fit the schema or its limits."
    BAD_USER_INPUT = "An argument or variable is malformed or outside its limits."
    OPERATION_RESOLUTION_FAILURE = "The operation to run cannot be told from the request."
    PERSISTED_QUERY_NOT_FOUND = "No document is known by this hash or id; send the document."
    PERSISTED_QUERY_NOT_SUPPORTED = "Documents are not accepted in this way here."
    UNAUTHENTICATED = "Credentials are missing or not valid."
    FORBIDDEN = "The caller may not see this; `missingRight` names the right it lacks."
    RATE_LIMITED = "Too many requests; wait as long as `retryAfterSeconds` says."
    COST_LIMIT_EXCEEDED = "The operation asks for more than one operation may."
    DEADLINE_EXCEEDED = "The answer did not come within the operation's deadline."
    BACKEND_UNAVAILABLE = "The analytics store cannot answer right now."
    PARTIAL_RESULT = "The store could answer in part only, so nothing is shown."
    INTERNAL_SERVER_ERROR = "Our fault; quote the `requestId` when reporting it."

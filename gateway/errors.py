"""Every error the gateway raises on purpose, by whose fault it is; a leaf has one public code.

GatewayError
├── CallerError                          safe to show as it is, never logged as an error
│   ├── BadUserInputError                BAD_USER_INPUT
│   ├── CostLimitExceededError           COST_LIMIT_EXCEEDED
│   ├── DocumentRefusedError             GRAPHQL_VALIDATION_FAILED
│   ├── ForbiddenError                   FORBIDDEN
│   ├── OperationUnresolvedError         OPERATION_RESOLUTION_FAILURE
│   ├── PersistedQueryNotFoundError      PERSISTED_QUERY_NOT_FOUND
│   ├── PersistedQueryNotSupportedError  PERSISTED_QUERY_NOT_SUPPORTED
│   ├── RateLimitedError                 RATE_LIMITED, as all below it
│   │   ├── FailedLoginsError            RATE_LIMITED
│   │   └── TooManyStreamsError          RATE_LIMITED
│   └── UnauthenticatedError             UNAUTHENTICATED
└── StoreError                           shown by its fixed sentence only; the cause is logged
    ├── DeadlineExceededError            DEADLINE_EXCEEDED
    ├── OverloadedError                  RATE_LIMITED
    ├── StoreUnavailableError            BACKEND_UNAVAILABLE
    └── PartialAnswerError               PARTIAL_RESULT
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from graphql_schema.error_codes import ErrorCode


class GatewayError(Exception):
    """An error with a public code; `public_message` is all that a caller sees of it."""

    code: ClassVar[ErrorCode]

    @property
    def public_message(self) -> str:
        """The sentence for the caller."""
        raise NotImplementedError


class CallerError(GatewayError):
    """What was asked cannot be answered as asked; the message says what is allowed."""

    @property
    def public_message(self) -> str:
        """The message itself: it was written for the caller."""
        return str(self)


class BadUserInputError(CallerError):
    """An argument is malformed or outside its limits; the message names it."""

    code = ErrorCode.BAD_USER_INPUT

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(f"{argument}: {problem}")
        self.argument = argument


class CostLimitExceededError(CallerError):
    """One operation asks for more than one operation may."""

    code = ErrorCode.COST_LIMIT_EXCEEDED


class Right(Enum):
    """What a caller may lack; the value says so to it, whatever the accounts are."""

    READ_ACCOUNT = (
        "Your credential does not give the right to read every account asked for; "
        "ask only for accounts that it was issued for."
    )
    USE_GROUP = "Your credential was not given a group of this name; name one that it was issued for, or give the ids."
    READ_NETWORK = "Figures over all accounts are for operators; your credential is not one's."
    READ_METRICS = "Metrics are for operators and the scrape token; your credential is neither's."
    SEE_COUNTERPARTIES = (
        "Your credential does not give the right to see other accounts' ids, "
        "so others can be named only by the masked ids that it was shown itself."
    )


class ForbiddenError(CallerError):
    """The caller lacks a right; the message is the same whether what it asked for exists or not."""

    code = ErrorCode.FORBIDDEN

    def __init__(self, right: Right) -> None:
        super().__init__(right.value)
        self.right = right


class DocumentRefusedError(CallerError):
    """The document is over one of its caps; the message names the cap."""

    code = ErrorCode.GRAPHQL_VALIDATION_FAILED


class OperationUnresolvedError(CallerError):
    """The document does not say which of its operations to run, or has none of that name."""

    code = ErrorCode.OPERATION_RESOLUTION_FAILURE


class PersistedQueryNotFoundError(CallerError):
    """No document is stored under that hash; clients answer by sending it."""

    code = ErrorCode.PERSISTED_QUERY_NOT_FOUND


class PersistedQueryNotSupportedError(CallerError):
    """Documents cannot be stored or sent here in that way."""

    code = ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED


class UnauthenticatedError(CallerError):
    """Nobody is known by the credential sent, or none was; `reason` is for the log only."""

    code = ErrorCode.UNAUTHENTICATED

    def __init__(self, reason: str) -> None:
        sent = (
            "No credential came with the request"
            if reason == "missing"
            else "The credential is not valid here, or no longer"
        )
        super().__init__(
            f"{sent}: send one header, `Authorization: Bearer <token or API key>` or `X-API-Key: <API key>`."
        )
        self.reason = reason


class RateLimitedError(CallerError):
    """The caller has spent its budget; the message says for how many seconds to wait."""

    code = ErrorCode.RATE_LIMITED
    retry_after_s: int
    charge: tuple[int, int | None, int | None, int, int] | None = None

    def __init__(
        self,
        requested: int,
        budget: int | None,
        remaining: int | None,
        reset_s: int,
        retry_after_s: int,
    ) -> None:
        super().__init__(
            f"This takes {requested} points and the budget has {remaining} left; "
            f"try again in {retry_after_s} s."
        )
        self.retry_after_s = retry_after_s
        self.charge = requested, budget, remaining, reset_s, retry_after_s


class FailedLoginsError(RateLimitedError):
    """Too many credentials from the caller's address were refused: the next one is not looked at."""

    reason: ClassVar[str] = "too_many_failed_logins"

    def __init__(self, retry_after_s: int) -> None:
        CallerError.__init__(
            self,
            "Too many credentials from your address were refused; "
            f"try again in {retry_after_s} s, with a valid one.",
        )
        self.retry_after_s = retry_after_s


class TooManyStreamsError(RateLimitedError):
    """There is no place for one more subscription or export; `what` says of whom there are too many."""

    def __init__(self, what: str, retry_after_s: int = 10) -> None:
        CallerError.__init__(self, f"{what}; end one, or try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s


class StoreError(GatewayError):
    """The store did not give an answer that can be stood behind; the cause is for the log only."""

    sentence: ClassVar[str]

    @property
    def public_message(self) -> str:
        """The class's fixed sentence: nothing internal leaks."""
        return self.sentence


class DeadlineExceededError(StoreError):
    """The answer would have come after the operation's deadline."""

    code = ErrorCode.DEADLINE_EXCEEDED
    sentence = "The answer did not come in time; ask for a shorter window, or again later."


class OverloadedError(StoreError):
    """The store is asked as much as it can answer: refused before any work, whoever asks.

    `because`: of the `store` or of the `lag` of the process, if an operation was not even begun.
    """

    code = ErrorCode.RATE_LIMITED
    sentence = "Too much is asked at the moment; try again in a second."
    retry_after_s: ClassVar[int] = 1

    def __init__(self, cause: str, because: str = "") -> None:
        super().__init__(cause)
        self.because = because


class StoreUnavailableError(StoreError):
    """The store cannot be reached, refuses, or has not caught up yet."""

    code = ErrorCode.BACKEND_UNAVAILABLE
    sentence = "The analytics store cannot answer right now; try again in a few seconds."


class PartialAnswerError(StoreError):
    """The store answered from a part of its data only, so the numbers would be too small."""

    code = ErrorCode.PARTIAL_RESULT
    sentence = "The analytics store could answer in part only, so nothing is shown; try again."

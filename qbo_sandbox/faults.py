"""Business faults as the API reports them: HTTP status, code, message, detail, element.

Belongs here: the fault value and the recorded wordings. Does not: how a fault is put on the wire (``envelopes.py``).

    QboFault                 one refused request (an API error of type ValidationFault or SystemFault)
    UnbalancedJournalError   a bug of the sandbox itself: a transaction whose postings do not sum to zero
"""

VALIDATION = "ValidationFault"


class UnbalancedJournalError(AssertionError):
    """A transaction's postings do not sum to zero: never to be answered, always to be fixed."""


class QboFault(Exception):
    """One refused request in the words of the API."""

    def __init__(
        self,
        *,
        code: str,
        message: str,
        detail: str,
        element: str | None = None,
        status: int = 400,
        kind: str = VALIDATION,
    ) -> None:
        super().__init__(f"{code} {message}: {detail}")
        self.code = code
        self.message = message
        self.detail = detail
        self.element = element
        self.status = status
        self.kind = kind

    @classmethod
    def not_found(cls, *, entity: str, txn_id: str) -> "QboFault":
        """610: no such object, or it is gone."""
        return cls(
            code="610",
            message="Object Not Found",
            detail="Object Not Found : Something you're trying to use has been made inactive. "
            f"Check the fields with accounts, customers, items, vendors or employees. ({entity} {txn_id})",
        )

    @classmethod
    def bad_reference(cls, *, element: str, value: object) -> "QboFault":
        """2500: a reference to something that is not there."""
        return cls(
            code="2500",
            message="Invalid Reference Id",
            detail=f"Invalid Reference Id : {element} element id {value} not found",
            element=element,
        )

    @classmethod
    def required(cls, *, element: str) -> "QboFault":
        """2020: a required field is missing."""
        return cls(
            code="2020",
            message="Required param missing, need to supply the required value for the API",
            detail=f"Required parameter {element} is missing in the request",
            element=element,
        )

    @classmethod
    def business(cls, detail: str, *, code: str = "6000", element: str | None = None) -> "QboFault":
        """6000 and its neighbours: the books do not allow it."""
        return cls(
            code=code,
            message="A business validation error has occurred while processing your request",
            detail=f"Business Validation Error: {detail}",
            element=element,
        )

    @classmethod
    def invalid_number(cls, *, element: str, value: object) -> "QboFault":
        """2090: not a number the books can hold."""
        return cls(
            code="2090", message="Invalid Number", detail=f"Invalid Number : {element} value {value}", element=element
        )

    @classmethod
    def not_listed(cls, *, element: str, value: object) -> "QboFault":
        """2170: not one of the words that the property takes."""
        return cls(code="2170", message="Invalid Enumeration", detail=f"Invalid Enumeration : {value}", element=element)

    @classmethod
    def unbalanced_entry(cls) -> "QboFault":
        """2300: debits and credits of a journal entry differ."""
        return cls(
            code="2300",
            message="Transaction does not balance",
            detail="Please balance debits and credits.",
        )

    @classmethod
    def stale(cls, *, user: str = "another user") -> "QboFault":
        """5010: the SyncToken is not the current one."""
        return cls(
            code="5010",
            message="Stale Object Error",
            detail=f"Stale Object Error : You and {user} were working on this at the same time. "
            f"{user} finished before you did, so your work was not saved.",
        )

    @classmethod
    def unsupported(cls, what: str) -> "QboFault":
        """500 as an error code (the status stays 400): the entity has no such operation."""
        return cls(code="500", message="Unsupported Operation", detail=f"Operation {what} is not supported.")

    @classmethod
    def duplicate_name(cls, name: str) -> "QboFault":
        """6240: the name is taken."""
        return cls(
            code="6240",
            message="Duplicate Name Exists Error",
            detail=f"The name supplied already exists. : {name}",
        )

"""The line to one company: each call paced, tried again, with a token that is replaced once if it is refused.

Belongs here: putting client, patience and tokens together for one tenant. Does not: what is asked in which order
(`smart_sync.py`), HTTP (`client.py`), waiting (`patience.py`), storing tokens (`token_keeper.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from resources.qbo.answers import Changes, Page, RawAnswer
from resources.qbo.client import QboClient
from resources.qbo.errors import QboAuthExpired
from resources.qbo.kinds import Kind
from resources.qbo.patience import Patience, Tally
from resources.qbo.query import Statement
from resources.qbo.token_keeper import Access, TokenKeeper
from resources.secret_text import Secret
from resources.tenants import TenantId

_Result = TypeVar("_Result")


class CompanyLine:
    """What one company can be asked; every answer is whole or an error."""

    def __init__(self, tenant: TenantId, *, client: QboClient, tokens: TokenKeeper, patience: Patience) -> None:
        self._tenant = tenant
        self._client = client
        self._tokens = tokens
        self._patience = patience
        self._access = tokens.access_token(tenant)
        self._is_confirmed = False

    def singleton(self, kind: Kind, tally: Tally) -> Page:
        """The company's one object of a kind."""
        return self._call(
            lambda realm_id, token: self._client.singleton(kind.entity, realm_id=realm_id, access_token=token), tally
        )

    def query(self, statement: Statement, tally: Tally) -> Page:
        """One page."""
        return self._call(
            lambda realm_id, token: self._client.query(statement, realm_id=realm_id, access_token=token), tally
        )

    def count(self, statement: Statement, tally: Tally) -> int:
        """How many objects there are."""
        return self._call(
            lambda realm_id, token: self._client.count(statement, realm_id=realm_id, access_token=token), tally
        )

    def changes(self, kinds: Sequence[Kind], *, since: datetime, tally: Tally) -> Changes:
        """What changed of these kinds since an instant."""
        entities = [kind.entity for kind in kinds]
        return self._call(
            lambda realm_id, token: self._client.changes(entities, since=since, realm_id=realm_id, access_token=token),
            tally,
        )

    def report(self, name: str, parameters: Mapping[str, str], tally: Tally) -> RawAnswer:
        """A report."""
        return self._call(
            lambda realm_id, token: self._client.report(name, parameters, realm_id=realm_id, access_token=token), tally
        )

    def _call(self, attempt: Callable[[str, Secret], _Result], tally: Tally) -> _Result:
        self._access = self._tokens.still_fresh(self._access)
        try:
            result = self._attempt(attempt, self._access, tally)
        except QboAuthExpired:
            self._access = self._tokens.renewed(self._tenant, rejected=self._access)
            self._is_confirmed = False
            result = self._attempt(attempt, self._access, tally)
        if not self._is_confirmed:
            self._tokens.confirm(self._access)
            self._is_confirmed = True
        return result

    def _attempt(self, attempt: Callable[[str, Secret], _Result], access: Access, tally: Tally) -> _Result:
        return self._patience.call(self._tenant, lambda: attempt(access.realm_id, access.access_token), tally=tally)

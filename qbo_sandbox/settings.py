"""Settings: every question about QuickBooks that no source settles is one, and the limits are others.

Belongs here: names, allowed answers, defaults (the best reading of the sources). Does not: what an answer does.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from qbo_sandbox.books import BookRules

_MONTH_OF_BUILDER_CALLS = 500_000
_DAY = 86_400


class RealmSettings(BaseModel):
    """How one company answers where the documentation does not say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Reading
    default_order: Literal["newest_changed", "id"] = "newest_changed"
    page_total_count: Literal["recorded", "always", "never"] = "recorded"
    column_lists: Literal["project", "whole", "refuse"] = "project"
    query_time_zone: Literal["pacific", "company"] = "pacific"
    cdc_cap: Literal["response", "entity"] = "response"
    cdc_cap_objects: int = Field(default=1000, ge=1)
    cdc_look_back: Literal["refuse", "accept"] = "refuse"
    # Writing
    overpaying_line: Literal["refuse", "cap"] = "refuse"
    delete_linked_code: Literal["6000", "620"] = "6000"
    merge_touches_transactions: bool = True
    duplicate_doc_number: Literal["accept", "refuse"] = "accept"
    bill_payment_sparse_update: bool = True
    request_ids: Literal["honoured", "forgotten", "ignored", "answers_600", "answers_6000"] = "honoured"
    request_id_seconds: int = Field(default=30 * _DAY, ge=0)
    request_id_other_body: Literal["replay", "answers_600"] = "replay"
    business_fault_status: Literal[400, 403] = 400
    # Batch
    batch_items: int = Field(default=30, ge=1)
    batch_cap: Literal["query", "batch"] = "query"
    batch_metering: Literal["call", "item"] = "call"
    # Throttling
    throttled: bool = True
    throttle_body: Literal["xml", "json"] = "xml"
    throttle_retry_after: bool = False
    requests_a_minute: int = Field(default=500, ge=1)
    requests_a_second: int = Field(default=10, ge=1)
    batches_a_minute: int = Field(default=40, ge=1)

    def book_rules(self) -> BookRules:
        """The settings that the books themselves must know."""
        return BookRules(
            overpaying_line=self.overpaying_line,
            delete_linked_code=self.delete_linked_code,
            merge_touches_transactions=self.merge_touches_transactions,
        )


class AppSettings(BaseModel):
    """How the authorisation server, the meter and the webhooks of the one app behave."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    access_token_seconds: int = Field(default=3600, ge=1)
    refresh_token_seconds: int = Field(default=8_726_400, ge=1)
    refresh_token_hard_seconds: int = Field(default=157_680_000, ge=1)
    refresh_rotation_seconds: int = Field(default=_DAY, ge=0)
    replaced_refresh_seconds: int = Field(default=0, ge=0)
    racing_refresh_kills_winner: bool = False
    racing_refresh_window_seconds: int = Field(default=60, ge=0)
    metered: bool = True
    monthly_quota: int = Field(default=_MONTH_OF_BUILDER_CALLS, ge=0)
    all_endpoints_a_minute: int = Field(default=800, ge=1)
    webhook_format: Literal["notifications", "cloudevents"] = "cloudevents"
    webhook_words: dict[str, str] = Field(
        default_factory=lambda: {
            "Create": "created",
            "Update": "updated",
            "Delete": "deleted",
            "Merge": "merged",
            "Void": "voided",
        }
    )

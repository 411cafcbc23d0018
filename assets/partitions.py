"""The one partitions definition: a tenant is a partition.

Belongs here: `TENANTS`. Does not: who is a tenant (the operational database says so), the week of a digest (run config).
"""

import dagster as dg

TENANTS = dg.DynamicPartitionsDefinition(name="tenant")

"""SmartSync alone in this process against the local QuickBooks in its own, every answer 150 ms late.

Measures the first load of a medium company, its increment after 1 % of it changed, and the increments of many small tenants
together: metered calls as the local QuickBooks counts them, wall time, processor seconds of this process and of the local
QuickBooks (the wall of a shared machine tells little), this process's peak memory, exceeded limits. The last line is one
JSON object.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the tests' way to start the local QuickBooks

from migrations.chain import upgrade
from resources.installation import Installation
from resources.qbo.sync_report import SyncReport
from resources.settings import Settings
from resources.tenants import TenantId, tenant_id
from tests.sandbox import Sandbox, start_sandbox

LATENCY_SECONDS = 0.15
INDUSTRIES = ("marketing_agency", "construction", "professional_services", "e_commerce", "consulting")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tenants", type=int, default=100)
    arguments.add_argument("--workers", type=int, default=32)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "sandbox"
        state.mkdir()
        with start_sandbox(state) as sandbox:
            installation = Installation(Settings(data_dir=Path(folder) / "data", qbo_local_url=sandbox.url))
            try:
                upgrade(installation.database)
                installation.registry.add_firm("bench", name="Bench")
                figures = measure(installation, sandbox, tenants=asked.tenants, workers=asked.workers)
            finally:
                installation.close()
    print(json.dumps(figures))


def measure(installation: Installation, sandbox: Sandbox, *, tenants: int, workers: int) -> dict[str, Any]:
    medium = connected(installation, sandbox, number=0, industry="e_commerce", size="medium")
    late(sandbox)
    first = timed(installation, sandbox, [medium], workers=1)
    change(sandbox, medium, objects=max(1, first["read"] // 100))
    late(sandbox)
    increment = timed(installation, sandbox, [medium], workers=1)
    figures = {"first_load": first, "increment": increment, "peak_memory_mib": peak_memory()}
    print(json.dumps(figures))

    sandbox.heal("*")
    small = [
        connected(installation, sandbox, number=number, industry=INDUSTRIES[number % 5], size="small")
        for number in range(1, tenants + 1)
    ]
    loads = timed(installation, sandbox, small, workers=workers)
    print(json.dumps({"small_first_loads": loads}))
    for tenant in small:
        change(sandbox, tenant, objects=30)
    late(sandbox)
    figures["small_increments"] = timed(installation, sandbox, small, workers=workers)
    figures["violations"] = sandbox.control.get("/__sandbox__/limits").json()["violations"]
    figures["bars"] = {
        "increment_is_one_call": increment["metered"] == 1,
        "first_load_calls": first["metered"] <= first["read"] // 1000 + 25,
        "medium_has_20000_objects": first["read"] >= 20_000,
        "small_increments_within_15_s": figures["small_increments"]["seconds"] <= 15,
        "one_call_a_tenant": figures["small_increments"]["metered"] == tenants,
        "memory_within_400_mib": figures["peak_memory_mib"] <= 400,
        "no_violations": figures["violations"] == 0,
    }
    return figures


def connected(installation: Installation, sandbox: Sandbox, *, number: int, industry: str, size: str) -> TenantId:
    realm_id = str(9_130_370_000_000_000 + number)
    spec = {
        "realm_id": realm_id,
        "name": f"Bench {number}",
        "industry": industry,
        "size": size,
        "seed": number,
        "as_of": "2026-11-20",
        "zone": "America/New_York",
    }
    sandbox.control.post("/__sandbox__/companies", json=spec).raise_for_status()
    sandbox.control.post(f"/__sandbox__/realms/{realm_id}/build").raise_for_status()
    tenant = tenant_id(f"bench-{number}")
    installation.registry.add_tenant(tenant, firm_id="bench", name=tenant, zone="America/New_York")
    consented = installation.oauth.consent_without_browser(
        redirect_uri=installation.settings.qbo_redirect_uri, realm_id=realm_id
    )
    installation.connections.connect(tenant, environment="local", realm_id=realm_id, tokens=consented.tokens)
    return tenant


def late(sandbox: Sandbox) -> None:
    sandbox.heal("*")
    sandbox.break_with("*", kind="latency", seconds=LATENCY_SECONDS)


def change(sandbox: Sandbox, tenant: TenantId, *, objects: int) -> None:
    """Let people enter, edit, pay, void and delete now; what they touch moves more objects than they name."""
    realm_id = str(9_130_370_000_000_000 + int(tenant.removeprefix("bench-")))
    step = {"days": 1, "seed": objects, "operations": objects, "move_clock": False}
    sandbox.control.post(f"/__sandbox__/realms/{realm_id}/step", json=step).raise_for_status()


def timed(installation: Installation, sandbox: Sandbox, tenants: list[TenantId], *, workers: int) -> dict[str, Any]:
    before, sandbox_before = metered(sandbox), sandbox_cpu(sandbox)
    started, cpu_before = time.perf_counter(), time.process_time()
    found = installation.smart_sync.sync_many(tenants, workers=workers)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu_before
    failures = [str(one) for one in found.values() if not isinstance(one, SyncReport)]
    assert not failures, failures[:3]
    reports = [one for one in found.values() if isinstance(one, SyncReport)]
    return {
        "kind": sorted({report.kind for report in reports}),
        "read": sum(report.read for report in reports),
        "new_versions": sum(report.new_versions for report in reports),
        "metered": metered(sandbox) - before,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "sandbox_cpu_seconds": round(sandbox_cpu(sandbox) - sandbox_before, 2),
        "waited_seconds": round(sum(report.waited_seconds for report in reports), 2),
    }


def metered(sandbox: Sandbox) -> int:
    log = sandbox.control.get("/__sandbox__/requests").json()
    return sum(one["metered"] for one in log)


def sandbox_cpu(sandbox: Sandbox) -> float:
    return float(sandbox.control.get("/__sandbox__/health").json()["cpu_seconds"])


def peak_memory() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


if __name__ == "__main__":
    main()

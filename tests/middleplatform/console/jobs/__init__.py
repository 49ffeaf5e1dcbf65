"""What people come to each page for, done over a mine that runs: by the page's name in the address."""

from tests.middleplatform.console.jobs import (
    access,
    account,
    alarms,
    chambers,
    control,
    equipment,
    figures,
    governance,
    minemap,
    overview,
    records,
    reports,
    sequences,
    shifts,
    trends,
    values,
    workshop,
)
from tests.middleplatform.console.jobs.desk import Desk, Job

JOBS = {
    "overview": Job(overview.overview),
    "map": Job(minemap.minemap),
    "equipment": Job(equipment.equipment),
    "alarms": Job(alarms.alarms),
    "shifts": Job(shifts.shifts),
    "trends": Job(trends.trends, forgiven=("willReadFrequently",)),  # its canvas is read until it is drawn
    "sequences": Job(sequences.sequences),
    "chambers": Job(chambers.chambers),
    "tags": Job(control.tags),
    "commands": Job(control.commands),
    "values": Job(values.values),
    "account": Job(account.account, forgiven=("400", "401")),
    "figures": Job(figures.figures),
    "energy": Job(figures.energy),
    "production": Job(figures.production),
    "reports": Job(reports.reports),
    "excluded": Job(figures.excluded),
    "onboarding": Job(workshop.onboarding),
    "diagnostics": Job(workshop.diagnostics),
    "rules": Job(workshop.rules),
    "catalogue": Job(governance.catalogue),
    "quality": Job(governance.quality),
    "standard": Job(governance.standard),
    "lineage": Job(governance.lineage),
    "access": Job(access.access),
    "audit": Job(access.audit),
    "manual": Job(records.manual),
    "dictionaries": Job(records.dictionaries, forgiven=("400",)),
    "versions": Job(records.versions),
}
"""Each page of the console has one."""

__all__ = ["JOBS", "Desk", "Job"]

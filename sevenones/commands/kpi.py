"""`sevenones kpi …`: the figures of the mine, what they were made of, and what is left out of them."""

from __future__ import annotations

import typer

from sevenones.commands import (
    kpi_city,
    kpi_energy,
    kpi_exchange,
    kpi_exclusions,
    kpi_figures,
    kpi_production,
    kpi_why,
)

app = typer.Typer(no_args_is_help=True, add_completion=False)
for name, command in kpi_figures.COMMANDS.items():
    app.command(name)(command)
app.add_typer(kpi_exclusions.app, name="exclude", help="剔除时段的工单 · tickets of time that is left out")
app.command("energy")(kpi_energy.energy)
app.command("production")(kpi_production.production)
app.command("stoppages")(kpi_production.stoppages)
app.command("city")(kpi_city.city)
app.command("export")(kpi_exchange.export)
app.command("import")(kpi_exchange.import_days)
for command in (kpi_why.why, kpi_why.intervals, kpi_why.findings):
    app.command()(command)

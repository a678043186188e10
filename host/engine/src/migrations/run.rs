//! The job: the migrations that were not run yet, in order, each whole before the next one begins.
//!
//! Started again after whatever ended it, it goes on with the number that was not applied. A dry run tries the first one
//! only: the next ones would meet data that it did not change.

use std::sync::Arc;

use wharf_proto::v1;
use wharf_store::model::LogLevel;
use wharf_supervisor::{Installed, Lease, Migration, calls};

use super::standing::Behind;
use super::step::Step;
use super::{MigrateOptions, OPERATION};
use crate::engine::Inner;
use crate::jobs::run::JobRun;
use crate::jobs::view::JobResult;
use crate::problem::Problem;

/// Runs the migrations that the job asks for.
pub(crate) async fn run(engine: &Inner, run: &JobRun) -> Result<JobResult, Problem> {
    let options: MigrateOptions = serde_json::from_str(&run.job.arguments)?;
    let name = run.job.component.as_deref().unwrap_or_default();
    let plugin = Arc::clone(engine.installed(name)?);
    let Some(behind) = engine.standings.behind(name) else {
        return Ok(JobResult { dry_run: options.dry_run, ..run.result() });
    };
    let process = engine.borrow_process(run, &plugin).await?;
    match all(engine, run, (&plugin, &process), &behind, options).await {
        Ok(()) => {
            let dry_run = options.dry_run;
            Ok(JobResult { dry_run, changed: !dry_run, ..run.result() })
        }
        Err(problem) => {
            process.end(&problem);
            Err(problem)
        }
    }
}

async fn all(
    engine: &Inner,
    run: &JobRun,
    (plugin, process): (&Arc<Installed>, &Lease),
    behind: &Behind,
    options: MigrateOptions,
) -> Result<(), Problem> {
    agree(engine, run, plugin, process).await?;
    for migration in behind.pending() {
        run.check_cancelled()?;
        let Migration { number, name, .. } = migration;
        run.log(LogLevel::Info, format!("migration {number}: {name}")).await;
        let step =
            Step { engine, run, plugin, process, behind, migration, dry_run: options.dry_run };
        let report = step.run().await.map_err(|problem| told(problem, plugin, migration))?;
        run.log(LogLevel::Info, report.words()).await;
        run.migrated(report);
        if options.dry_run {
            return Ok(());
        }
    }
    Ok(())
}

/// The plugin must know the migrations that its manifest names.
async fn agree(
    engine: &Inner,
    run: &JobRun,
    plugin: &Installed,
    process: &Lease,
) -> Result<(), Problem> {
    let manifest = &plugin.manifest;
    let request = v1::MigrationsRequest {};
    let said = calls::migrations(process, request, &engine.bounds(run)).await?;
    let named: Vec<(u32, &str)> =
        manifest.migrations.iter().map(|it| (it.number, it.name.as_str())).collect();
    let known: Vec<(u32, &str)> =
        said.migrations.iter().map(|it| (it.number, it.name.as_str())).collect();
    let agree = named == known
        && said.fast_forward == manifest.fast_forward
        && said.removed_up_to == manifest.removed_up_to.unwrap_or(0);
    if agree {
        return Ok(());
    }
    Err(Problem::protocol(format!(
        "plugin {} knows migrations {:?}, its manifest names {:?}; they must be the same",
        manifest.name,
        known.iter().map(|(number, _)| number).collect::<Vec<_>>(),
        named.iter().map(|(number, _)| number).collect::<Vec<_>>(),
    )))
}

/// The problem, with the migration that met it and what is left to do.
fn told(mut problem: Problem, plugin: &Installed, migration: &Migration) -> Problem {
    let (plugin, Migration { number, name, .. }) = (&plugin.manifest.name, migration);
    problem.message = format!("migration {number} of {plugin} ({name}): {}", problem.message);
    let resume = format!(
        "nothing of migration {number} is stored; `wharf plugin {OPERATION} {plugin}` goes on with it"
    );
    problem.help = Some(match problem.help.take() {
        Some(help) => format!("{help}; {resume}"),
        None => resume,
    });
    problem
}

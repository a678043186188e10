//! What units depend on, as the plugin that knows their format says.
//!
//! The importer of the target is asked, else that of the source: both know the types. It reads the source's version and
//! names units of it; what it cannot find it tells as warnings.

use std::collections::BTreeSet;

use wharf_proto::v1::{self, event::Event};
use wharf_store::model::{Attachment, Repository, UnitId};
use wharf_supervisor::calls;

use crate::convert;
use crate::engine::Inner;
use crate::host_service::Rights;
use crate::instances::Bound;
use crate::jobs::run::JobRun;
use crate::problem::Problem;

/// The most units whose dependencies are asked for: they travel in one message.
const MOST: usize = 200_000;

/// Where dependencies are looked for, and who is to hold them.
pub(super) struct Wanted<'a> {
    pub(super) source: &'a Repository,
    pub(super) version: u64,
    pub(super) target: &'a Repository,
}

/// The units, and those of the same version that they depend on.
pub(super) async fn with_dependencies(
    engine: &Inner,
    run: &JobRun,
    wanted: Wanted<'_>,
    units: Vec<UnitId>,
) -> Result<Vec<UnitId>, Problem> {
    if units.len() > MOST {
        let message = format!("dependencies of more than {MOST} units cannot be asked for");
        return Err(Problem::usage("limit.units", message).help("copy fewer at once, or all"));
    }
    let (attachment, bound) = importer(engine, &wanted).await?;
    let process = engine.borrow_process(run, &bound.plugin).await?;
    let settings = bound.plugin_settings();
    let grant = engine.grants.grant(Rights {
        repository: wanted.source.id,
        version: wanted.version,
        attachment: attachment.id,
        settings: settings.text.clone(),
        secrets: settings.secrets.clone(),
        ..Rights::least(run, process.id())
    })?;
    let request = v1::ResolveRequest {
        context: Some(Inner::job_context(run, &process, grant.token())),
        attachment: Some(crate::convert::attachment(
            &bound.component.id,
            &attachment,
            wanted.source,
            &settings,
            Vec::new(),
        )),
        version: wanted.version,
        units: units.iter().map(|unit| named(*unit)).collect(),
        options: String::new(),
    };
    let outcome = drive(engine, run, &process, request).await;
    drop(grant);
    let found = match outcome {
        Ok(found) => found,
        Err(problem) => {
            process.end(&problem);
            return Err(problem);
        }
    };
    let at = (wanted.source.id, wanted.version);
    let members: BTreeSet<UnitId> =
        engine.selected(at, &crate::units::Selection::default()).await?.into_iter().collect();
    if let Some(stranger) = found.iter().find(|unit| !members.contains(unit)) {
        let message = format!("the plugin names unit {stranger}, which the version does not hold");
        return Err(Problem::protocol(message));
    }
    Ok(units.into_iter().chain(found).collect::<BTreeSet<_>>().into_iter().collect())
}

fn named(unit: UnitId) -> v1::UnitRef {
    v1::UnitRef { id: unit.0.unsigned_abs(), ..v1::UnitRef::default() }
}

async fn importer(engine: &Inner, wanted: &Wanted<'_>) -> Result<(Attachment, Bound), Problem> {
    for repository in [wanted.target, wanted.source] {
        for attachment in engine.store.meta.attachments(repository.id).await? {
            if attachment.role != "importer" {
                continue;
            }
            let bound = Bound::resolve(engine, &attachment)?;
            if bound.component.operations.iter().any(|operation| operation == "resolve") {
                return Ok((attachment, bound));
            }
        }
    }
    let message = format!(
        "neither {} nor {} has an importer that knows dependencies",
        wanted.target.name, wanted.source.name
    );
    Err(Problem::usage("usage.not_offered", message)
        .help("leave out --with-dependencies, or attach one whose plugin offers `resolve`"))
}

async fn drive(
    engine: &Inner,
    run: &JobRun,
    process: &wharf_supervisor::Lease,
    request: v1::ResolveRequest,
) -> Result<Vec<UnitId>, Problem> {
    let mut events = calls::resolve(process, request, &engine.bounds(run)).await?;
    let mut found = Vec::new();
    while let Some(event) = events.next().await? {
        match event {
            Event::Resolved(units) => {
                for unit in units.units {
                    let id = i64::try_from(unit.id).ok().filter(|id| *id > 0).ok_or_else(|| {
                        Problem::protocol("Resolve names a unit without the host's number")
                    })?;
                    found.push(UnitId(id));
                }
            }
            Event::Result(_) => return Ok(found),
            Event::Checkpoint(_) => {}
            Event::Job(_) | Event::Output(_) => {
                return Err(convert::not_driven("resolve", &event));
            }
            other => convert::tell(run, other).await?,
        }
    }
    Err(Problem::protocol("the stream ended without a result"))
}

//! Images, and who builds them.

use std::path::Path;

use serde_json::Value;

use super::table::{Align, Table};
use super::text::{exact, plain, size};
use super::time::Clock;
use super::{BOLD, styled};
use crate::api::{FoundUnit, Job, JobResult, JobSubject, Target};

/// Images, one a line.
pub(crate) fn table(images: &[FoundUnit], clock: &Clock, width: Option<usize>) -> String {
    let mut table = Table::new(&[
        ("ID", Align::Right),
        ("NAME", Align::Left),
        ("FOR", Align::Left),
        ("ARCH", Align::Left),
        ("FORMAT", Align::Left),
        ("MADE OF", Align::Right),
        ("MADE", Align::Left),
        ("AT", Align::Left),
        ("REPOSITORY", Align::Left),
    ]);
    for image in images {
        let key = |name: &str| image.key.get(name).map(word).unwrap_or_default();
        let said = |names: &[&str]| {
            let value = names.iter().find_map(|name| image.attributes.get(*name));
            value.map_or_else(|| "-".to_owned(), word)
        };
        let target = if image.type_id == "image_base" {
            format!("{} {}", key("os"), key("os_version"))
        } else {
            key("target")
        };
        let made = ["built_ms", "pushed_ms"];
        let made = made.iter().find_map(|name| image.attributes.get(*name)?.as_i64());
        let provider = image.key.get("provider").map_or_else(|| "-".to_owned(), word);
        let names: Vec<String> = image.repositories.iter().map(|name| exact(name)).collect();
        table.row([
            image.id.to_string().into(),
            key("name").into(),
            target.into(),
            key("architecture").into(),
            said(&["format"]).into(),
            said(&["base", "image"]).into(),
            made.map_or_else(|| "-".to_owned(), |made| clock.time(made)).into(),
            provider.into(),
            names.join(", ").into(),
        ]);
    }
    table.render(width)
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| exact(&value.to_string()), exact)
}

/// Targets, one a line, with who builds them.
pub(crate) fn targets(targets: &[Target], width: Option<usize>) -> String {
    let mut table = Table::new(&[
        ("TARGET", Align::Left),
        ("STAGE", Align::Left),
        ("BUILT BY", Align::Left),
        ("BECAUSE", Align::Left),
    ]);
    for target in targets {
        let mut name = exact(&target.target);
        let mut stage = plain(&target.stage);
        for component in &target.components {
            table.row([
                std::mem::take(&mut name).into(),
                std::mem::take(&mut stage).into(),
                exact(&component.component).into(),
                plain(&component.because).into(),
            ]);
        }
    }
    table.render(width)
}

/// What is said of a base image that is used again.
pub(crate) fn there(base: i64) -> String {
    format!("base image {base} was made the same way and is used; --rebuild makes a new one")
}

/// What a job builds, pushes, or takes away: `small for vsphere`, `image 12`.
pub(crate) fn about(job: &Job) -> Option<String> {
    let JobSubject { name, target, image, after } = job.subject.as_ref()?;
    match (name, target, image, after) {
        (Some(name), Some(target), _, _) => Some(format!("{} for {}", exact(name), exact(target))),
        (Some(name), None, _, _) => Some(exact(name)),
        (None, _, Some(image), _) => Some(format!("image {image}")),
        (None, _, None, Some(job)) => Some(format!("the image of job {job}")),
        (None, _, None, None) => None,
    }
}

/// What a build's image is made of, if it is known before: `image 12`, `the image of job 3`.
pub(crate) fn made_of(job: &Job) -> Option<String> {
    let JobSubject { name, image, after, .. } = job.subject.as_ref()?;
    name.as_ref()?;
    let image = image.map(|image| format!("image {image}"));
    image.or_else(|| after.map(|job| format!("the image of job {job}")))
}

/// `images: small for vsphere: image 12 built, version 3 (41 s); wharf image save 12 writes it to a file`
pub(crate) fn made(name: &str, done: &str, result: &JobResult, took: &str) -> String {
    let version = result.version.map(|number| format!(", version {number}")).unwrap_or_default();
    match result.unit {
        Some(unit) => {
            let image = styled(BOLD, &format!("image {unit}"));
            format!(
                "{name}: {image} {done}{version}{took}; `wharf image save {unit}` writes it to a file"
            )
        }
        None => format!("{name}: {done}{version}{took}"),
    }
}

/// `images: image 12 pushed, REGISTRY/NAME@DIGEST (2 s); `wharf image unpublish 13` takes it away there`
pub(crate) fn pushed(name: &str, done: &str, result: &JobResult, took: &str) -> String {
    let at = exact(result.identifier.as_deref().unwrap_or_default());
    let unit =
        result.unit.map(|unit| format!("; `wharf image unpublish {unit}` takes it away there"));
    let unit = unit.unwrap_or_default();
    match &result.skipped_because {
        Some(why) => format!("{name}: {at}: {}{unit}", plain(why)),
        None => format!("{name}: {done}, {}{took}{unit}", styled(BOLD, &at)),
    }
}

/// `images: REGISTRY/NAME@DIGEST is gone (1 s)`
pub(crate) fn unpublished(name: &str, result: &JobResult, took: &str) -> String {
    format!("{name}: {} is gone{took}", exact(result.identifier.as_deref().unwrap_or_default()))
}

/// What is said of a file that was written.
pub(crate) fn saved(to: &Path, bytes: u64) -> String {
    format!("{} written, {}", to.display(), size(bytes))
}

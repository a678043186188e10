//! One call, from its first event to its end: what came, what it broke, and how it ended.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep_until};
use wharf_proto::v1;
use wharf_proto::v1::content::Content::Chunk;
use wharf_proto::v1::event::Event;
use wharf_supervisor::{CallError, Events};

use crate::contract::{Breach, Contract, Rule};
use crate::operation::Operation;
use crate::types::Types;

/// Breaches are told by the first of each rule; more of them help nobody.
const MOST_BREACHES: usize = 20;
/// Listed items, and published files, that are kept for later calls.
const MOST_ITEMS: usize = 1_000;

/// What came of one call.
#[derive(Debug)]
pub(crate) struct Run {
    /// What it said of the content, event by event where the order counts for nothing: sorted.
    pub(crate) facts: Vec<String>,
    pub(crate) breaches: Vec<Breach>,
    pub(crate) items: Vec<v1::ListedItem>,
    /// Published files, and whether clients read them first.
    pub(crate) files: Vec<(String, bool)>,
    /// What was published is called where it was put.
    pub(crate) identifier: String,
    pub(crate) events: usize,
    /// What it asked the host meanwhile.
    pub(crate) asked: Vec<&'static str>,
    pub(crate) end: Result<(), CallError>,
    pub(crate) took: Duration,
}

impl Run {
    /// The first breach of this rule.
    pub(crate) fn breach(&self, rule: Rule) -> Option<&str> {
        self.breaches.iter().find(|(broken, _)| *broken == rule).map(|(_, text)| text.as_str())
    }

    /// Whether it asked the host for anything that can be refused or held back.
    pub(crate) fn asks(&self) -> bool {
        self.asked.iter().any(|call| *call != "WatchCancel")
    }

    /// A run that ended before its first event.
    pub(crate) fn without_events(error: CallError) -> Self {
        let (facts, breaches, items) = (Vec::new(), closing(&error), Vec::new());
        Self {
            facts,
            breaches,
            items,
            files: Vec::new(),
            identifier: String::new(),
            events: 0,
            asked: Vec::new(),
            end: Err(error),
            took: Duration::ZERO,
        }
    }
}

fn closing(error: &CallError) -> Vec<Breach> {
    match error {
        CallError::Protocol { detail, .. } if is_of_the_stream(detail) => {
            vec![(Rule::Closing, detail.clone())]
        }
        CallError::Limit { detail, .. } => vec![(Rule::Batches, detail.clone())],
        _ => Vec::new(),
    }
}

/// Whether the stream broke its rules, and not the call (a status) or the connection.
pub(crate) fn is_of_the_stream(detail: &str) -> bool {
    detail.starts_with("it ended without") || detail.starts_with("it sent more")
}

/// Reads a call to its end; `pause` is a time in which nothing is read after the first event.
pub(crate) async fn watch(
    events: Events,
    types: &Types,
    operation: Operation,
    pause: Option<Duration>,
) -> Run {
    let begun = Instant::now();
    let mut watch = Watch {
        contract: Contract::new(types, operation),
        bytes: Sha256::new(),
        run: Run {
            facts: Vec::new(),
            breaches: Vec::new(),
            items: Vec::new(),
            files: Vec::new(),
            identifier: String::new(),
            events: 0,
            asked: Vec::new(),
            end: Ok(()),
            took: Duration::ZERO,
        },
    };
    let mut events = events;
    loop {
        match events.next().await {
            Ok(Some(event)) => watch.take(&event),
            Ok(None) => break,
            Err(error) => {
                watch.run.breaches.extend(closing(&error));
                watch.run.end = Err(error);
                break;
            }
        }
        if let Some(pause) = pause.filter(|_| watch.run.events == 1) {
            sleep_until(Instant::now() + pause).await;
        }
    }
    if operation == Operation::Fetch {
        watch.run.facts.push(format!("bytes {:?}", watch.bytes.finalize()));
    }
    watch.run.facts.sort_unstable();
    watch.run.took = begun.elapsed();
    watch.run
}

struct Watch<'a> {
    contract: Contract<'a>,
    bytes: Sha256,
    run: Run,
}

impl Watch<'_> {
    fn take(&mut self, event: &Event) {
        self.run.events += 1;
        let breaches = self.contract.breaches(event);
        let room = MOST_BREACHES.saturating_sub(self.run.breaches.len());
        self.run.breaches.extend(breaches.into_iter().take(room));
        facts(event, &mut self.run.facts);
        if let Event::Content(v1::Content { content: Some(Chunk(bytes)), .. }) = event {
            self.bytes.update(bytes);
        }
        match event {
            Event::Listed(listed) => {
                let room = MOST_ITEMS.saturating_sub(self.run.items.len());
                self.run.items.extend(listed.items.iter().take(room).cloned());
            }
            Event::Files(files) => {
                let room = MOST_ITEMS.saturating_sub(self.run.files.len());
                let told = files.files.iter().map(|file| (file.path.clone(), file.entry_point));
                self.run.files.extend(told.take(room));
            }
            Event::Result(result) => self.run.identifier.clone_from(&result.identifier),
            _ => {}
        }
    }
}

/// What an event says of the content, entry by entry: where one batch ends and the next begins may differ.
fn facts(event: &Event, facts: &mut Vec<String>) {
    let unit = |unit: &v1::Unit| {
        let paths: Vec<&str> = unit.files.iter().map(|file| file.path.as_str()).collect();
        format!("unit {} {} {paths:?}", unit.r#type, unit.key)
    };
    match event {
        Event::Units(units) => facts.extend(units.units.iter().map(unit)),
        Event::Listed(listed) => {
            let item = |item: &v1::ListedItem| {
                format!(
                    "listed {} {}",
                    item.unit.as_ref().map(unit).unwrap_or_default(),
                    item.revision
                )
            };
            facts.extend(listed.items.iter().map(item));
        }
        Event::Files(files) => {
            facts.extend(files.files.iter().map(|file| format!("file {}", file.path)));
        }
        Event::Content(content) => match &content.content {
            Some(v1::content::Content::Source(source)) => {
                facts.push(format!("source {}", source.url));
            }
            Some(v1::content::Content::Staged(_)) => facts.push("staged".to_owned()),
            // Where one chunk ends and the next begins may differ; the bytes may not.
            Some(Chunk(_)) | None => {}
        },
        Event::Resolved(units) => {
            facts.extend(units.units.iter().map(|unit| format!("resolved {unit:?}")));
        }
        Event::Keep(keep) if keep.keys.is_empty() => facts.push(format!("{keep:?}")),
        Event::Keep(keep) => {
            facts.extend(keep.keys.iter().map(|key| format!("keep {} {key}", keep.r#type)));
        }
        Event::Remove(units) => {
            facts.extend(units.units.iter().map(|unit| format!("remove {unit:?}")));
        }
        Event::PassThrough(through) => facts.push(format!("{through:?}")),
        Event::Aliases(aliases) => {
            facts.extend(aliases.aliases.iter().map(|alias| format!("{alias:?}")));
        }
        Event::Variants(variants) => {
            facts.extend(variants.variants.iter().map(|variant| format!("{variant:?}")));
        }
        Event::Result(result) => facts.push(format!("result, announced {:?}", result.announced)),
        // How often something is logged, warned of or counted may differ from run to run.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(batches: &[&[&str]]) -> Vec<String> {
        let mut all = Vec::new();
        for batch in batches {
            let variant =
                |path: &&str| v1::Variant { path: (*path).to_owned(), ..v1::Variant::default() };
            let variants = batch.iter().map(variant).collect();
            facts(&Event::Variants(v1::Variants { variants }), &mut all);
        }
        all.sort_unstable();
        all
    }

    #[test]
    fn where_batches_end_makes_no_difference_and_what_they_hold_does() {
        assert_eq!(told(&[&["a", "b"], &["c"]]), told(&[&["a"], &["b", "c"]]));
        assert_ne!(told(&[&["a", "b"]]), told(&[&["a"], &["c"]]));
    }
}

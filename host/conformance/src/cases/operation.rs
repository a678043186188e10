//! Declared calls, each made once with everything in order, and what its events say.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use wharf_supervisor::CallError;

use crate::bench::{Ask, Bench};
use crate::contract::Rule;
use crate::desk::Script;
use crate::verdict::{Verdict, ended_badly, failed, skipped};
use crate::watch::is_of_the_stream;

pub(super) fn works<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let run = bench.rehearsal(ask).await?;
        let sample = bench.sample(ask.component);
        let is_given = sample.is_given() || !sample.units.is_empty() || !sample.uploads.is_empty();
        match &run.end {
            // What breaks the rules of the stream has cases of its own.
            Ok(()) | Err(CallError::Limit { .. }) => Ok(()),
            Err(CallError::Protocol { detail, .. }) if is_of_the_stream(detail) => Ok(()),
            Err(CallError::Plugin(error)) if !is_given => skipped(
                format!(
                    "without a sample {} ends with {}: {}",
                    ask.operation.call(),
                    error.code,
                    error.message
                ),
                "give settings, upstream files and units in verify.json beside plugin.json",
            ),
            Err(CallError::Plugin(error)) => failed(
                format!("{} ends with {}: {}", ask.operation.call(), error.code, error.message),
                "mend the call, or what verify.json gives it",
            ),
            Err(error) => Err(ended_badly(error)),
        }
    }
    .boxed()
}

pub(super) fn same<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let first = bench.good(ask).await?;
        let stage = bench.start().await?;
        for time in ["first", "second"] {
            let run = stage.run(ask, Script::Good, 3).await?;
            if let Err(error) = &run.end {
                return failed(
                    format!("the {time} call in another process: {error}"),
                    "keep nothing between calls",
                );
            }
            if run.facts != first.facts {
                let reason = format!(
                    "the {time} call in another process says otherwise: {}",
                    differs(&first.facts, &run.facts)
                );
                return failed(
                    reason,
                    "keep nothing between calls, and take times from the request (timestamp_ms)",
                );
            }
        }
        stage.process.stop().await;
        Ok(())
    }
    .boxed()
}

/// The first fact that one has and the other has not.
pub(super) fn differs(first: &[String], second: &[String]) -> String {
    let cut = |fact: &String| fact.chars().take(200).collect::<String>();
    let gone = first.iter().find(|fact| second.binary_search(fact).is_err()).map(cut);
    let new = second.iter().find(|fact| first.binary_search(fact).is_err()).map(cut);
    match (gone, new) {
        (Some(gone), Some(new)) => format!("{gone:?} became {new:?}"),
        (Some(gone), None) => format!("{gone:?} is missing"),
        (None, Some(new)) => format!("{new:?} is new"),
        (None, None) => format!("{} facts became {}", first.len(), second.len()),
    }
}

async fn keeps<'a>(bench: &'a Bench<'a>, ask: Ask<'a>, rule: Rule, hint: &str) -> Verdict {
    let run = bench.rehearsal(ask).await?;
    match run.breach(rule) {
        None => Ok(()),
        Some(breach) => failed(format!("{}: {breach}", ask.operation.call()), hint),
    }
}

pub(super) fn closing<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    keeps(bench, ask, Rule::Closing, "send `result` or `error` last and once, then end the stream with status OK; errors are the event, not a status").boxed()
}

pub(super) fn batches<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    keeps(
        bench,
        ask,
        Rule::Batches,
        "cut lists into batches: at most 1,000 entries and 1 MiB; 64 to 256 KiB are quickest",
    )
    .boxed()
}

pub(super) fn kinds<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    keeps(bench, ask, Rule::Kinds, "see the table of events in proto/README.md, section 9").boxed()
}

pub(super) fn units<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    keeps(
        bench,
        ask,
        Rule::Units,
        "send units of the plugin's own types, their key with exactly the fields of unit_key",
    )
    .boxed()
}

pub(super) fn paths<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    keeps(bench, ask, Rule::Paths, "paths are relative, parts joined by `/`, none of them empty, `.` or `..`; see proto/README.md, section 11").boxed()
}

pub(super) fn progress<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    keeps(bench, ask, Rule::Progress, "count up within a phase; total is 0 while it is unknown")
        .boxed()
}

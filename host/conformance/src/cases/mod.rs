//! The list of cases. Each has a stable name, the level that needs it, and one line that says what is relied on.
//!
//! A case is a plain function: nothing, or a [`Finding`](crate::verdict::Finding). It starts what it needs anew, so
//! cases run in any selection and in no order.

mod calls;
mod cancel;
mod check;
mod concurrency;
mod describe;
mod evolution;
mod flow;
mod handshake;
mod hook;
mod host;
mod input;
mod operation;
mod outlive;
mod published;
mod ready;
mod stop;
mod tls;

use futures_util::future::BoxFuture;
use wharf_supervisor::Component;

use crate::bench::{Ask, Bench};
use crate::report::Level;
use crate::verdict::Verdict;

type OfPlugin = for<'a> fn(&'a Bench<'a>) -> BoxFuture<'a, Verdict>;
type OfComponent = for<'a> fn(&'a Bench<'a>, &'a Component) -> BoxFuture<'a, Verdict>;
type OfCall = for<'a> fn(&'a Bench<'a>, Ask<'a>) -> BoxFuture<'a, Verdict>;

/// What a case is run for.
#[derive(Clone, Copy)]
pub(crate) enum Scope {
    /// Once.
    Plugin(OfPlugin),
    /// Once for each component.
    Component(OfComponent),
    /// Once for each operation that a component declares.
    Call(OfCall),
}

/// One case.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) about: About,
    pub(crate) scope: Scope,
}

/// What is told of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct About {
    /// Its stable name.
    pub case: &'static str,
    /// The level that needs it.
    pub level: Level,
    /// What is relied on.
    pub about: &'static str,
}

const fn case(level: Level, case: &'static str, about: &'static str, scope: Scope) -> Case {
    Case { about: About { case, level, about }, scope }
}

/// All cases, in the order of the report.
pub fn list() -> impl Iterator<Item = About> {
    all().map(|case| case.about)
}

pub(crate) fn all() -> impl Iterator<Item = Case> {
    [SPEAKS, BEHAVES, ROBUST].into_iter().flatten().copied()
}

use Level::{Behaves, Robust, Speaks};
use Scope::{Call, Component as Each, Plugin};

#[rustfmt::skip]
const SPEAKS: &[Case] = &[
    case(Speaks, "handshake.line", "prints one right handshake line in time, with a version of its manifest and a certificate", Plugin(handshake::line)),
    case(Speaks, "handshake.by-hand", "run without the cookie: words on standard error, nothing on standard output, status 1", Plugin(handshake::by_hand)),
    case(Speaks, "handshake.versions", "chooses its version among others, and says its own where none is common", Plugin(handshake::versions)),
    case(Speaks, "handshake.socket", "listens on a socket in the private folder, which stays private", Plugin(handshake::socket)),
    case(Speaks, "tls.none", "refuses a connection in clear", Plugin(tls::none)),
    case(Speaks, "tls.anonymous", "refuses a client without a certificate", Plugin(tls::anonymous)),
    case(Speaks, "tls.stranger", "refuses a client with another certificate than the host's", Plugin(tls::stranger)),
    case(Speaks, "health.serving", "the health service says SERVING for \"plugin\"", Plugin(describe::health)),
    case(Speaks, "describe.manifest", "Describe says what the manifest says: name, version, components, operations, types", Plugin(describe::manifest)),
    case(Speaks, "describe.migrations", "Migrations says what the manifest says", Plugin(describe::migrations)),
    case(Speaks, "stop.shutdown", "Shutdown ends it within 2 s with status 0", Plugin(stop::shutdown)),
    case(Speaks, "stop.sigterm", "SIGTERM ends it within 2 s with status 0", Plugin(stop::sigterm)),
];

#[rustfmt::skip]
const BEHAVES: &[Case] = &[
    case(Behaves, "check.good", "Check takes the sample's settings", Each(check::good)),
    case(Behaves, "check.empty", "Check answers for no settings at all", Each(check::empty)),
    case(Behaves, "check.absurd", "Check answers for settings of every wrong kind", Each(check::absurd)),
    case(Behaves, "check.same", "Check says the same when it is asked again", Each(check::same)),
    case(Behaves, "ready.reasons", "Ready is answered in time, and every reason has a code and words", Each(ready::reasons)),
    case(Behaves, "operation.works", "a declared call ends with a result when it is given what the sample says", Call(operation::works)),
    case(Behaves, "operation.same", "the same call in the same process brings the same again", Call(operation::same)),
    case(Behaves, "stream.closing", "a stream ends with one result or error and nothing behind it", Call(operation::closing)),
    case(Behaves, "stream.batches", "lists have at most 1,000 entries, messages 1 MiB, inline bytes 64 KiB", Call(operation::batches)),
    case(Behaves, "stream.kinds", "only events that the call knows are sent", Call(operation::kinds)),
    case(Behaves, "stream.units", "units are of declared types, with whole keys", Call(operation::units)),
    case(Behaves, "stream.paths", "paths are clean and relative, and published once", Call(operation::paths)),
    case(Behaves, "stream.progress", "progress goes forward and not beyond its total", Call(operation::progress)),
    case(Behaves, "reissue.entry-points", "Reissue sends what clients read first, and nothing else", Call(published::entry_points)),
    case(Behaves, "unpublish.identifier", "Publish says what Unpublish is to take back", Call(published::taken_back)),
    case(Behaves, "client-config.named", "ClientConfig names its files, and says the same again", Each(published::client_config)),
    case(Behaves, "hook.decides", "each hook that it subscribes to is answered by a decision and what belongs to it", Each(hook::decides)),
    case(Behaves, "hook.unsubscribed", "hooks that it does not subscribe to answer UNIMPLEMENTED", Plugin(hook::unsubscribed)),
    case(Behaves, "calls.unoffered", "calls that it does not offer answer UNIMPLEMENTED", Plugin(calls::unoffered)),
    case(Behaves, "calls.unknown-component", "a call to a component that is not there is refused, not a crash", Call(calls::unknown_component)),
    case(Behaves, "cancel.begin", "a call that is cancelled at once leaves a process that works", Call(cancel::begin)),
    case(Behaves, "cancel.middle", "a call that is cancelled after its first event leaves a process that works", Call(cancel::middle)),
    case(Behaves, "cancel.waiting", "a call that waits for the host gives up within 5 s of its cancel", Call(cancel::waiting)),
    case(Behaves, "stop.busy", "Shutdown in the middle of a call ends it within 2 s with status 0", Call(stop::busy)),
];

#[rustfmt::skip]
const ROBUST: &[Case] = &[
    case(Robust, "evolution.unknown-fields", "fields of a later contract are ignored", Call(evolution::unknown_fields)),
    case(Robust, "evolution.unknown-features", "features and languages that it does not know are ignored", Plugin(evolution::unknown_features)),
    case(Robust, "ready.absurd", "Ready answers for settings of every wrong kind", Each(ready::absurd)),
    case(Robust, "hook.cancelled", "a hook that is cancelled leaves a process that works", Each(hook::cancelled)),
    case(Robust, "host.unavailable", "a host that answers UNAVAILABLE is an operation error, in time", Call(host::unavailable)),
    case(Robust, "host.unimplemented", "a host that answers UNIMPLEMENTED is an error of the call, in time", Call(host::unimplemented)),
    case(Robust, "host.unauthenticated", "a token that is over is an error of the call, in time", Call(host::unauthenticated)),
    case(Robust, "host.forbidden", "a refusal for want of rights is an error of the call, in time", Call(host::forbidden)),
    case(Robust, "host.token", "every call shows the token of its own job, after others in the same process", Call(host::token)),
    case(Robust, "input.empty", "no units, and downloads of no bytes, end the call properly", Call(input::empty)),
    case(Robust, "input.garbage", "downloads of noise end the call properly", Call(input::garbage)),
    case(Robust, "input.many", "50,000 units are published whole", Call(input::many)),
    case(Robust, "flow.slow-host", "nothing is lost and memory stays bounded while the host does not read", Call(flow::slow_host)),
    case(Robust, "concurrency.calls", "as many calls at once as the manifest allows do not disturb each other", Call(concurrency::calls)),
    case(Robust, "concurrency.health", "health, Describe and Check are answered during a long call", Call(concurrency::health)),
    case(Robust, "stop.sigint", "SIGINT is ignored: it is meant for the host", Plugin(stop::sigint)),
    case(Robust, "outlive.outputs", "it works on when nobody reads what it prints", Plugin(outlive::outputs)),
    case(Robust, "outlive.host", "it ends within 10 s when its host is gone", Plugin(outlive::host)),
    case(Robust, "outlive.call", "so it does in the middle of a call", Call(outlive::call)),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_have_two_parts() {
        let names: Vec<_> = list().map(|about| about.case).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        for name in names {
            let plain = |part: &str| part.chars().all(|it| it.is_ascii_lowercase() || it == '-');
            assert!(name.split_once('.').is_some_and(|(a, b)| plain(a) && plain(b)), "{name}");
        }
    }

    #[test]
    fn the_readme_lists_every_case_as_it_is() {
        let readme = include_str!("../../README.md");
        let told: Vec<&str> = readme.lines().filter(|line| line.starts_with("| `")).collect();
        let row = |it: About| format!("| `{}` | {} | {} |", it.case, it.level, it.about);
        assert_eq!(told, list().map(row).collect::<Vec<_>>());
    }
}

//! Errors of the crates below, and those that plugins send, as problems.

use serde_json::json;
use wharf_proto::v1;
use wharf_supervisor::calls::CallError;

use super::events::{MAX_TEXT, cut};
use crate::problem::{Class, Problem, Scope};

/// How long a plugin may have the host wait before it tries again, and how long it waits when the plugin names no time.
const LONGEST_PAUSE_MS: u32 = 60_000;
const USUAL_PAUSE_MS: u32 = 1_000;

/// A plugin's expected error.
pub(crate) fn problem(error: v1::Error) -> Problem {
    let class = match error.class() {
        v1::ErrorClass::Usage => Class::Usage,
        v1::ErrorClass::Operation => Class::Operation,
        v1::ErrorClass::Cancelled => Class::Cancelled,
        v1::ErrorClass::Unspecified | v1::ErrorClass::Fault => Class::Fault,
    };
    let scope = match error.scope() {
        v1::ErrorScope::Run => Scope::Run,
        v1::ErrorScope::Attachment => Scope::Attachment,
        v1::ErrorScope::Unspecified | v1::ErrorScope::Item => Scope::Item,
    };
    let again = error.retryable && class == Class::Operation;
    let retry_ms = again.then(|| pause_ms(error.retry_after_ms));
    let code = if error.code.is_empty() { default_code(class).to_owned() } else { error.code };
    let mut problem = Problem::new(class, cut(code), cut(error.message));
    (problem.scope, problem.retry_ms) = (scope, retry_ms);
    let at = [error.item, error.field].into_iter().find(|at| !at.is_empty());
    problem.at = at.map(cut);
    // Half of it would be no JSON.
    let details = Some(error.details).filter(|details| details.len() <= MAX_TEXT);
    problem.details = details.and_then(|text| serde_json::from_str(&text).ok()).map(Box::new);
    problem
}

fn pause_ms(asked_ms: u64) -> u32 {
    match u32::try_from(asked_ms) {
        Ok(0) => USUAL_PAUSE_MS,
        Ok(asked) => asked.min(LONGEST_PAUSE_MS),
        Err(_) => LONGEST_PAUSE_MS,
    }
}

const fn default_code(class: Class) -> &'static str {
    match class {
        Class::Usage => "usage",
        Class::Operation => "source",
        Class::Cancelled => "cancelled",
        Class::Fault => "internal",
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        let (code, message) = (error.code(), error.to_string());
        match error {
            CallError::Plugin(error) => problem(*error),
            CallError::Cancelled => Self::cancelled(),
            CallError::Crashed { exit, .. } => {
                Self::fault(code, message).details(json!({ "stderr_tail": exit.stderr }))
            }
            _ => Self::fault(code, message),
        }
    }
}

impl From<wharf_supervisor::Error> for Problem {
    fn from(error: wharf_supervisor::Error) -> Self {
        let code = error.code();
        let class = match code {
            "policy" | "config" | "conflict" => Class::Usage,
            _ => Class::Fault,
        };
        let problem = Self::new(class, code, chain(&error));
        match error {
            wharf_supervisor::Error::CrashLoop { plugin, .. } => problem.help(format!(
                "once it is mended, `wharf plugin reset {plugin}` starts it at once"
            )),
            _ => problem,
        }
    }
}

impl From<wharf_store::Error> for Problem {
    fn from(error: wharf_store::Error) -> Self {
        let code = error.code();
        let class = match code.split('.').next().unwrap_or(code) {
            "not_found" | "conflict" | "policy" | "config" | "usage" => Class::Usage,
            "storage" | "content" | "integrity" | "limit" => Class::Operation,
            _ => Class::Fault,
        };
        Self::new(class, code, chain(&error))
    }
}

impl From<crate::fetch::Error> for Problem {
    fn from(error: crate::fetch::Error) -> Self {
        let code = error.code();
        let class = match code {
            "cancelled" => Class::Cancelled,
            code if code.starts_with("internal") => Class::Fault,
            _ => Class::Operation,
        };
        let problem = Self::new(class, code, error.to_string());
        match error.help() {
            Some(help) => problem.help(help),
            None => problem,
        }
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        Self::fault("internal", format!("stored JSON cannot be read or written: {error}"))
    }
}

impl From<getrandom::Error> for Problem {
    fn from(error: getrandom::Error) -> Self {
        Self::fault("internal", format!("the system gives no random numbers: {error}"))
    }
}

/// The error with its causes, where they say more than it does.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

//! What a gRPC status means. Authors without an SDK answer with plain statuses; the table is in the
//! contract.

use std::error::Error as _;
use std::time::Duration;

use tokio::time::timeout;
use tonic::{Code, Status};
use wharf_proto::v1;

use super::error::CallError;
use crate::connect::{Process, Taint};
use crate::text::{excerpt, root};

/// How much of a status' message is kept (F41).
const MESSAGE_BYTES: usize = 4_096;
/// How long the end of a process may lag behind the end of its connection.
const END_GRACE: Duration = Duration::from_secs(1);

/// The end of a call by a status. Marks the process as unfit when the status is a fault.
pub(super) async fn read(process: &Process, call: &'static str, status: Status) -> CallError {
    // A status that the plugin sent has no cause; one that was made of a broken connection has.
    if status.source().is_some() {
        return lost(process, call, &status).await;
    }
    let detail = excerpt(status.message(), MESSAGE_BYTES);
    let error = classify(call, status.code(), detail);
    if matches!(error, CallError::Protocol { .. }) {
        // An early end of the process also looks like an answer when the plugin's library has time
        // to write one.
        if let Ok(exit) = timeout(Duration::ZERO, process.wait()).await {
            return crashed(process, call, exit);
        }
        process.set_taint(Taint::Fault);
    }
    error
}

/// The connection broke: because the process ended, or alone (F38).
async fn lost(process: &Process, call: &'static str, status: &Status) -> CallError {
    process.set_taint(Taint::Fault);
    if let Ok(exit) = timeout(END_GRACE, process.wait()).await {
        return crashed(process, call, exit);
    }
    let detail = excerpt(&root(status), MESSAGE_BYTES);
    CallError::Protocol { call, detail: format!("the connection broke: {detail}") }
}

pub(super) fn crashed(process: &Process, call: &'static str, exit: crate::Exit) -> CallError {
    process.set_taint(Taint::Fault);
    CallError::Crashed { call, exit }
}

fn classify(call: &'static str, code: Code, detail: String) -> CallError {
    use v1::ErrorClass::{Operation, Usage};
    let expected = |class: v1::ErrorClass, word: &str| {
        let operation = class == Operation;
        CallError::Plugin(Box::new(v1::Error {
            class: class.into(),
            code: word.to_owned(),
            message: detail.clone(),
            scope: if operation { v1::ErrorScope::Run } else { v1::ErrorScope::Unspecified }.into(),
            retryable: operation,
            ..v1::Error::default()
        }))
    };
    match code {
        Code::InvalidArgument | Code::FailedPrecondition => expected(Usage, "usage"),
        Code::PermissionDenied => expected(Usage, "forbidden"),
        Code::Unauthenticated => expected(Usage, "unauthorized"),
        Code::NotFound => expected(Usage, "not_found"),
        Code::Unavailable => expected(Operation, "source"),
        Code::ResourceExhausted => expected(Operation, "limit"),
        Code::Aborted => expected(Operation, "conflict"),
        Code::Unimplemented => CallError::Unimplemented { call },
        // Our own decoder answers so; a plugin has no use for this status.
        Code::OutOfRange if detail.contains("message length too large") => {
            CallError::Limit { call, detail }
        }
        code => {
            CallError::Protocol { call, detail: format!("it answered with {code:?}: {detail}") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expected_statuses_are_the_plugins_own_errors() {
        for (code, class, retryable) in [
            (Code::InvalidArgument, v1::ErrorClass::Usage, false),
            (Code::FailedPrecondition, v1::ErrorClass::Usage, false),
            (Code::PermissionDenied, v1::ErrorClass::Usage, false),
            (Code::Unauthenticated, v1::ErrorClass::Usage, false),
            (Code::NotFound, v1::ErrorClass::Usage, false),
            (Code::Unavailable, v1::ErrorClass::Operation, true),
            (Code::ResourceExhausted, v1::ErrorClass::Operation, true),
            (Code::Aborted, v1::ErrorClass::Operation, true),
        ] {
            match classify("S.M", code, "why".into()) {
                CallError::Plugin(error) => {
                    assert_eq!((error.class(), error.retryable), (class, retryable), "{code:?}");
                    assert_eq!(error.message, "why");
                }
                other => panic!("{code:?}: {other:?}"),
            }
        }
    }

    // F42
    #[test]
    fn all_other_statuses_are_faults() {
        for code in [Code::Unknown, Code::Internal, Code::DataLoss, Code::Cancelled, Code::Ok] {
            assert_eq!(classify("S.M", code, String::new()).code(), "protocol", "{code:?}");
        }
        assert!(matches!(
            classify("S.M", Code::Unimplemented, String::new()),
            CallError::Unimplemented { call: "S.M" }
        ));
    }
}

//! What a server or the network does wrong, as errors for people: what happened, where, and what to do next.
//!
//! What the user can mend is a usage error; what befell the server ends the run; what befell one file is that file's.

use smb2::{Error as Smb, ErrorKind};
use wharf_sdk::{Error, Scope};

use crate::path::shown;
use crate::settings::Server;

/// Whether it is the connection that failed, so that another one may do.
pub(crate) fn is_lost(error: &Smb) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionLost | ErrorKind::TimedOut | ErrorKind::SessionExpired | ErrorKind::Io
    )
}

/// The server's name is not known.
pub(crate) fn name(server: &Server, why: &str) -> Error {
    let message = format!(
        "{}: no address is known for {}: {why}; look at the setting hostname, and whether this machine is in the \
         network that knows the name (a VPN, perhaps)",
        server.shown(),
        shown(&server.hostname)
    );
    Error::operation("source.name", message).in_scope(Scope::Attachment).retryable()
}

/// No session came about.
pub(crate) fn connecting(server: &Server, error: &Smb) -> Error {
    match error.kind() {
        ErrorKind::AuthRequired | ErrorKind::GuestSessionRefused => credentials(server, error),
        ErrorKind::AccessDenied | ErrorKind::SigningRequired if server.username.is_empty() => {
            credentials(server, error)
        }
        ErrorKind::SignatureInvalid => forged(server, error),
        _ => unreachable(server, error),
    }
}

fn credentials(server: &Server, error: &Smb) -> Error {
    let who = if server.username.is_empty() {
        "a guest; set username and password".to_owned()
    } else {
        let secret = server.password.as_ref().map_or("NAME", |secret| secret.name());
        format!(
            "{}; look at username and domain, and set the password anew: wharf secret set {secret}",
            shown(&server.username)
        )
    };
    let message = format!("{}: the server does not let in {who} ({error})", server.shown());
    let field = if server.username.is_empty() { "/username" } else { "/password" };
    Error::usage("usage.credentials", message).at_field(field)
}

/// The server neither signs nor encrypts the session, and must.
pub(crate) fn unsigned(server: &Server) -> Error {
    let message = format!(
        "{}: the server neither signs nor encrypts this session, and sign_options is always; let it log the user in as \
         more than a guest, or choose when_required",
        server.shown()
    );
    Error::usage("usage.signing", message).at_field("/sign_options")
}

fn forged(server: &Server, error: &Smb) -> Error {
    let message = format!(
        "{}: an answer is not signed as it must be ({error}); the server is broken, or somebody changes what it says \
         on the way",
        server.shown()
    );
    Error::operation("integrity.signature", message).in_scope(Scope::Attachment)
}

fn unreachable(server: &Server, error: &Smb) -> Error {
    let attempts = match error {
        Smb::ConnectFailed { attempts, .. } => {
            let told: Vec<String> = attempts.iter().map(ToString::to_string).collect();
            format!(" ({})", told.join(", "))
        }
        _ => String::new(),
    };
    let message = format!(
        "{}: {} cannot be talked to: {error}{attempts}; look whether the server runs and lets this machine in",
        server.shown(),
        shown(&server.address())
    );
    Error::operation("source.unreachable", message).in_scope(Scope::Attachment).retryable()
}

/// The share could not be opened.
pub(crate) fn share(server: &Server, error: &Smb) -> Error {
    match error.kind() {
        ErrorKind::NotFound => {
            let message = format!(
                "{} has no share \"{}\"; look at the setting share: smbclient --list {} tells those it has",
                shown(&server.hostname),
                shown(&server.share),
                shown(&server.hostname)
            );
            Error::usage("usage.share", message).at_field("/share")
        }
        ErrorKind::AccessDenied => {
            let message = format!(
                "{}: {} may not use this share ({error}); ask whoever runs the server for the right",
                server.shown(),
                if server.username.is_empty() { "a guest" } else { &server.username }
            );
            Error::usage("usage.rights", message).at_field("/share")
        }
        _ => connecting(server, error),
    }
}

/// The mirrored folder, or all below it, cannot be listed.
pub(crate) fn folder(server: &Server, folder: &str, error: &Smb) -> Error {
    if is_lost(error) || error.kind() == ErrorKind::SignatureInvalid {
        return connecting(server, error);
    }
    let why = match error.kind() {
        ErrorKind::NotFound => "there is no such folder; look at the setting remote_dir".to_owned(),
        ErrorKind::NotADirectory => {
            "it is a file and no folder; look at the setting remote_dir".to_owned()
        }
        ErrorKind::AccessDenied => {
            "this user may not read the folder; ask whoever runs the server".to_owned()
        }
        _ => format!("the folder cannot be listed: {error}"),
    };
    let message = format!("{}/{}: {why}", server.shown(), shown(folder));
    Error::operation("source.folder", message).in_scope(Scope::Attachment).at_field("/remote_dir")
}

/// One file cannot be had.
pub(crate) fn file(server: &Server, path: &str, error: &Smb) -> Error {
    if is_lost(error) || error.kind() == ErrorKind::SignatureInvalid {
        return connecting(server, error);
    }
    let (code, why) = match error.kind() {
        ErrorKind::NotFound | ErrorKind::IsADirectory => (
            "source.vanished",
            "it vanished between listing and fetching; the next sync will not list it".to_owned(),
        ),
        ErrorKind::SharingViolation => (
            "source.busy",
            "somebody has it open for themselves; sync again when they are done".to_owned(),
        ),
        ErrorKind::AccessDenied => (
            "source.forbidden",
            "this user may not read it; ask whoever runs the server, or leave it out".to_owned(),
        ),
        _ => ("source.file", format!("it cannot be read: {error}")),
    };
    let message = format!("{}/{}: {why}", server.shown(), shown(path));
    let refused = Error::operation(code, message).for_item(path);
    if code == "source.busy" { refused.retryable() } else { refused }
}

/// A file was written to while it was read.
pub(crate) fn changing(server: &Server, path: &str) -> Error {
    let message = format!(
        "{}/{}: it was changed while it was read; sync again when nobody writes to it",
        server.shown(),
        shown(path)
    );
    Error::operation("source.changing", message).for_item(path).retryable()
}

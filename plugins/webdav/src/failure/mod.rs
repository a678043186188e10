//! What a server or the network does wrong, as errors for people: what happened, where, and what to do next.
//!
//! What the user can mend is a usage error; what befell the server ends the run; what befell one file is that file's. None
//! of them has the password in it, or what a server put behind the `?` of an address.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Response, StatusCode};
use url::Url;
use wharf_http::{Lost, retry_after};
use wharf_sdk::{Error, Scope};

use crate::layout::NotThat;
use crate::multistatus::ReadError;
use crate::place::shown;
use crate::settings::Server;

/// The longest that a server may ask to be left alone.
const LONGEST: Duration = Duration::from_hours(1);

/// What a request was about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked<'a> {
    /// What the mirrored folder holds.
    Top,
    /// What a folder below it holds.
    Folder,
    /// The bytes of the file at this path below the mirrored folder.
    File(&'a str),
}

/// Where something befell, and how far it reaches.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) server: &'a Server,
    pub(crate) asked: Asked<'a>,
    /// The path below the root.
    pub(crate) full: &'a str,
}

/// The server's name is not known.
pub(crate) fn name(server: &Server, why: &str) -> Error {
    let message = format!(
        "{}: no address is known for it: {why}; look at the setting url, and whether this machine is in the network that \
         knows the name (a VPN, perhaps)",
        shown(&server.url)
    );
    Error::operation("source.name", message).in_scope(Scope::Attachment).retryable()
}

impl Case<'_> {
    fn place(&self) -> String {
        let path = if self.full.is_empty() { String::new() } else { format!("/{}", self.full) };
        shown(&format!("{}{path}", self.server.url.trim_end_matches('/')))
    }

    /// An error as far as what was asked for reaches: one folder of many cannot be left out of a listing.
    fn reaching(&self, code: &str, why: &str) -> Error {
        let error = Error::operation(code, format!("{}: {why}", self.place()));
        match self.asked {
            Asked::Top | Asked::Folder => error.in_scope(Scope::Attachment),
            Asked::File(path) => error.for_item(path),
        }
    }

    /// The connection failed: before, or in the middle of, an answer.
    pub(crate) fn lost(&self, lost: Lost) -> Error {
        let server = |code: &str, why: String| {
            let message = format!("{}: {why}", shown(&self.server.url));
            Error::operation(code, message).in_scope(Scope::Attachment)
        };
        match lost {
            Lost::Untrusted(tls) => server(
                "source.tls",
                format!(
                    "no trusted connection: {tls}; look whether the address and this machine's clock are right, and if the \
                     server has a certificate of its own authority, hand that one's over: --set certificates=@FILE"
                ),
            ),
            Lost::Unreachable(why) => server(
                "source.unreachable",
                format!(
                    "the server cannot be talked to: {why}; look whether it runs and lets this machine in"
                ),
            )
            .retryable(),
            Lost::Broken(why) => {
                self.reaching("source.broken", &format!("the connection broke: {why}")).retryable()
            }
        }
    }

    /// An answer does not end.
    pub(crate) fn late(&self) -> Error {
        let why = "the listing of this folder does not end; look whether the server is overloaded";
        self.reaching("source.unreachable", why).retryable()
    }

    /// An answer to a question for a folder's entries that cannot be read.
    pub(crate) fn unreadable(&self, error: &ReadError) -> Error {
        match error {
            ReadError::Large | ReadError::Deep | ReadError::Value => {
                let why = format!("what the server lists is too much: {error}; divide the folder");
                self.reaching("limit.answer", &why)
            }
            ReadError::Stranger => self.stranger("HTTP 207"),
            ReadError::Cut => self
                .reaching("source.broken", "the server's listing ends too early; sync again")
                .retryable(),
            _ => {
                let why = format!(
                    "the server's listing cannot be read: {error}; sync again, and ask who runs it if that stays"
                );
                self.reaching("content.answer", &why)
            }
        }
    }

    /// An answer that is about something else.
    pub(crate) fn not_that(&self, why: &NotThat) -> Error {
        let advice = match why {
            NotThat::File => "look at the setting remote_dir",
            NotThat::Other(_) => "set url to the address that the server itself uses",
            NotThat::Nothing => "sync again, and ask who runs the server if that stays",
        };
        let code = if *why == NotThat::File { "source.folder" } else { "content.answer" };
        self.reaching(code, &format!("{why}; {advice}")).at_field(if *why == NotThat::File {
            "/remote_dir"
        } else {
            "/url"
        })
    }

    fn stranger(&self, what: &str) -> Error {
        let why = format!(
            "what answers there is no WebDAV ({what}); look at the setting url: of Nextcloud and ownCloud it is \
             https://HOST/remote.php/dav/files/USER, elsewhere what programs for network drives are given"
        );
        self.reaching("content.answer", &why).at_field("/url")
    }

    /// A file is another one than that whose beginning the host has, or was written to meanwhile.
    pub(crate) fn changing(&self) -> Error {
        let why = "it was changed while it was fetched; sync again when nobody writes to it";
        self.reaching("source.changing", why).retryable()
    }

    /// A file had another length than its head said.
    pub(crate) fn torn(&self, came: u64, announced: u64) -> Error {
        let why = format!("{came} bytes came, and {announced} were announced");
        self.reaching("source.broken", &why).retryable()
    }

    /// An answer with another status than a good one.
    pub(crate) fn status(&self, response: &Response) -> Error {
        self.told(response.status(), response.headers(), response.url())
    }

    fn told(&self, status: StatusCode, headers: &HeaderMap, from: &Url) -> Error {
        if status.is_redirection() {
            return self.moved(from, headers);
        }
        let error = match (status.as_u16(), self.asked) {
            (401 | 403, Asked::File(_)) => self.forbidden(status),
            (401, _) => return self.credentials(headers),
            (403, Asked::Top) => self.rights(),
            (403, _) => self.closed(status),
            (404 | 410, Asked::File(_)) => self.vanished(),
            // 400 is Apache's word for a file that is asked for what it holds.
            (404 | 410, _) | (400, Asked::Top) => self.missing(status),
            (423 | 429, _) => self.busy(status),
            (405 | 501, Asked::Top | Asked::Folder) => self.stranger(&format!("HTTP {status}")),
            _ if status.is_success() => self.stranger(&answer(status, headers)),
            _ if status.is_server_error() => self.down(status),
            _ => self.reaching("source.status", &format!("it is answered with HTTP {status}")),
        };
        match retry_after(headers) {
            Some(wait) if error.is_retryable() => error.retry_after(wait.min(LONGEST)),
            _ => error,
        }
    }

    /// Something listed, of which only a status is told. `None`: it is gone.
    pub(crate) fn withheld(&self, status: Option<u16>) -> Option<Error> {
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        match status.map(|status| (status.as_u16(), status)) {
            Some((404 | 410, _)) => None,
            Some((401 | 403, status)) => Some(self.forbidden(status)),
            Some((423, status)) => Some(self.busy(status)),
            Some((_, status)) => {
                let why = format!("the server tells nothing of it but HTTP {status}");
                Some(self.reaching("source.status", &why))
            }
            None => {
                let why = "the server does not say whether it is a file or a folder";
                Some(self.reaching("content.answer", why))
            }
        }
    }

    fn credentials(&self, headers: &HeaderMap) -> Error {
        let offers = offers(headers);
        let place = shown(&self.server.url);
        if !offers.is_empty() && !offers.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic")) {
            let message = format!(
                "{place}: the server lets users in by {} only, and this plugin speaks Basic; ask for an app password or for \
                 Basic over https",
                shown(&offers.join(", "))
            );
            return Error::usage("usage.credentials", message).at_field("/username");
        }
        if self.server.username.is_empty() {
            let message = format!(
                "{place}: the server lets nobody in without a login; set username and password"
            );
            return Error::usage("usage.credentials", message).at_field("/username");
        }
        let secret = self.server.password.as_ref().map_or("NAME", |secret| secret.name());
        let message = format!(
            "{place}: the server does not let in {}; look at username, and set the password anew: wharf secret set {secret} \
             (with a second factor, Nextcloud wants an app password: Settings, Security)",
            shown(&self.server.username)
        );
        Error::usage("usage.credentials", message).at_field("/password")
    }

    fn rights(&self) -> Error {
        let who = if self.server.username.is_empty() {
            "nobody without a login"
        } else {
            "this user not"
        };
        let message = format!(
            "{}: {who} may read this folder (HTTP 403 Forbidden); ask whoever runs the server for the right",
            self.place()
        );
        Error::usage("usage.rights", message).at_field("/remote_dir")
    }

    fn closed(&self, status: StatusCode) -> Error {
        let why = format!(
            "this user may not read the folder (HTTP {status}); ask whoever runs the server"
        );
        self.reaching("source.folder", &why)
    }

    fn missing(&self, status: StatusCode) -> Error {
        let why = format!(
            "there is no such folder (HTTP {status}), or it is a file; look at the settings url and remote_dir"
        );
        let field = if self.full.is_empty() { "/url" } else { "/remote_dir" };
        self.reaching("source.folder", &why).at_field(field)
    }

    /// A file that is not there any more.
    pub(crate) fn vanished(&self) -> Error {
        let why = "it vanished between listing and fetching; the next sync will not list it";
        self.reaching("source.vanished", why)
    }

    fn forbidden(&self, status: StatusCode) -> Error {
        let why = format!(
            "this user may not read it (HTTP {status}); ask whoever runs the server, or leave it out"
        );
        self.reaching("source.forbidden", &why)
    }

    fn busy(&self, status: StatusCode) -> Error {
        let why = if status == StatusCode::LOCKED {
            "somebody has locked it; sync again when they are done"
        } else {
            "the server is asked for too much at once; sync again later, or set concurrency lower"
        };
        self.reaching("source.busy", &format!("{why} (HTTP {status})")).retryable()
    }

    fn down(&self, status: StatusCode) -> Error {
        let why = format!(
            "the server is in trouble (HTTP {status}); sync again later, or ask whoever runs it"
        );
        self.reaching("source.unreachable", &why).retryable()
    }

    fn moved(&self, from: &Url, headers: &HeaderMap) -> Error {
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let to = location.and_then(|location| from.join(location).ok());
        let slash = |to: &Url| to.path().strip_suffix('/') == Some(from.path());
        if matches!(self.asked, Asked::File(_)) && to.as_ref().is_some_and(slash) {
            // A folder by now.
            return self.vanished();
        }
        let to = to.map_or_else(|| "another place".to_owned(), |to| plain(&to));
        let why = format!(
            "the server sends us to {}, where your password is not sent; set url to the address that the server itself uses",
            shown(&to)
        );
        self.reaching("source.redirect", &why).at_field("/url")
    }
}

/// Without what may be secret.
fn plain(address: &Url) -> String {
    let host = address.host_str().unwrap_or_default();
    let port = address.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}{}", address.scheme(), address.path())
}

/// Ways to log in that a server names.
fn offers(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(WWW_AUTHENTICATE).into_iter();
    let schemes = values.filter_map(|value| value.to_str().ok()?.split([' ', ',']).next());
    schemes.map(str::to_owned).collect()
}

fn answer(status: StatusCode, headers: &HeaderMap) -> String {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.map(|kind| format!(", {}", shown(kind))).unwrap_or_default();
    format!("HTTP {status}{kind}")
}

#[cfg(test)]
mod tests;

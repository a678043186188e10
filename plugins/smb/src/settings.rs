//! Which folder of which share, and who logs in: as the user says it.

use serde::{Deserialize, Serialize};
use wharf_sdk::{Attachment, Check, CheckScope, Checked, Error, ListedPath, SecretName};

use crate::path;

/// The port of SMB over TCP.
const PORT: u16 = 445;

/// As stored.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Settings {
    #[serde(flatten)]
    pub(crate) server: Server,
    /// Segments with `/` between them; empty: the whole share.
    #[serde(default)]
    pub(crate) remote_dir: String,
}

/// What a connection is made with.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Server {
    pub(crate) hostname: String,
    pub(crate) share: String,
    /// Empty: a guest.
    #[serde(default)]
    pub(crate) username: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<SecretName>,
    #[serde(default)]
    pub(crate) domain: String,
    #[serde(default = "port")]
    pub(crate) port: u16,
    #[serde(default)]
    pub(crate) sign_options: SignOptions,
    /// Kitovu's; only true is possible.
    #[serde(default, skip_serializing)]
    is_direct_tcp: Option<bool>,
}

const fn port() -> u16 {
    PORT
}

/// Which sessions will do. Those of users are signed whatever it says: SMB 3.1.1 wants it, and the library has no other way.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignOptions {
    /// Kitovu's, and told as a warning.
    Never,
    WhenSupported,
    #[default]
    WhenRequired,
    /// None of guests, that a server does not sign.
    Always,
}

impl Settings {
    /// Those that a call works with.
    pub(crate) fn of(attachment: &Attachment) -> Result<Self, Error> {
        let mut settings: Self = attachment.settings()?;
        let folder = path::folder(&settings.remote_dir).map_err(|refusal| {
            let message = format!("it is no folder of a share: {refusal}");
            Error::usage("config.smb", message).at_field("/remote_dir")
        })?;
        settings.remote_dir = folder.into();
        Ok(settings)
    }
}

impl Server {
    /// `HOST:PORT`, as connections are opened; an IPv6 address in brackets.
    pub(crate) fn address(&self) -> String {
        let host = self.hostname.trim_matches(['[', ']']);
        let port = self.port;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// For people: what is mirrored.
    pub(crate) fn shown(&self) -> String {
        format!("//{}/{}", path::shown(&self.hostname), path::shown(&self.share))
    }

    /// Whether a session may neither be signed nor encrypted.
    pub(crate) fn takes_unsigned(&self) -> bool {
        self.sign_options != SignOptions::Always
    }

    /// What cannot be had as it is wished.
    fn warned(&self, checked: Checked) -> Checked {
        if self.sign_options != SignOptions::Never {
            return checked;
        }
        let why =
            "sessions of users are signed all the same: SMB 3.1.1 wants them so; leave it out";
        checked.warning("/sign_options", "config.smb.signed", why)
    }

    /// Fields that are not right, and why.
    fn faults(&self) -> Vec<(&'static str, &'static str)> {
        let mut faults = Vec::new();
        let host = self.hostname.trim_matches(['[', ']']);
        let address = host.parse::<std::net::IpAddr>().is_ok();
        let odd = |character: char| {
            character.is_whitespace() || character.is_control() || "/\\:@#?".contains(character)
        };
        if !address && (host.is_empty() || host.contains(odd)) {
            let why =
                "it is no name of a server: write neither smb:// nor a port or a path with it";
            faults.push(("/hostname", why));
        }
        if ListedPath::top().below(&self.share).is_err() {
            let why = "it is no name of a share: what lies below it is the setting remote_dir";
            faults.push(("/share", why));
        }
        if self.is_direct_tcp == Some(false) {
            let why = "SMB over NetBIOS (port 139) is not spoken; leave it out, and look at port";
            faults.push(("/is_direct_tcp", why));
        }
        if self.sign_options == SignOptions::Always && self.username.is_empty() {
            faults.push(("/sign_options", "a guest's session is not signed; set username too"));
        }
        if self.password.is_some() && self.username.is_empty() {
            faults.push(("/username", "it must be set where there is a password"));
        }
        faults
    }
}

/// Says what is wrong with settings, and how they are kept.
pub(crate) fn check(check: &Check) -> Result<Checked, Error> {
    let told =
        |checked: Checked, (field, why): (&str, &str)| checked.error(field, "config.smb", why);
    if check.scope == CheckScope::Instance {
        let server: Server = check.values()?;
        let checked = server.faults().into_iter().fold(Checked::good(), told);
        return server.warned(checked).normalised(&server);
    }
    let mut settings: Settings = check.values()?;
    let mut checked = settings.server.faults().into_iter().fold(Checked::good(), told);
    match path::folder(&settings.remote_dir) {
        Ok(folder) => settings.remote_dir = folder.into(),
        Err(refusal) => {
            let why = format!("it is no folder of a share: {refusal}");
            checked = checked.error("/remote_dir", "config.smb", why);
        }
    }
    settings.server.warned(checked).normalised(&settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(hostname: &str, share: &str) -> Server {
        Server {
            hostname: hostname.to_owned(),
            share: share.to_owned(),
            username: String::new(),
            password: None,
            domain: String::new(),
            port: PORT,
            sign_options: SignOptions::default(),
            is_direct_tcp: None,
        }
    }

    #[test]
    fn addresses_have_the_port_behind_them() {
        for (host, address) in [
            ("files.example.org", "files.example.org:445"),
            ("192.0.2.7", "192.0.2.7:445"),
            ("2001:db8::1", "[2001:db8::1]:445"),
            ("[2001:db8::1]", "[2001:db8::1]:445"),
        ] {
            let server = server(host, "s");
            assert_eq!(server.address(), address);
            assert_eq!(server.faults(), []);
        }
    }

    #[test]
    fn what_is_no_server_or_share_is_named() {
        let fields = |hostname: &str, share: &str| {
            server(hostname, share).faults().into_iter().map(|fault| fault.0).collect::<Vec<_>>()
        };
        for host in ["", "smb://host", "host:445", "host/share", "a b"] {
            assert_eq!(fields(host, "s"), ["/hostname"], "{host}");
        }
        for share in ["", "a/b", "a\\b", ".."] {
            assert_eq!(fields("h", share), ["/share"], "{share}");
        }
        let unsigned = Server { sign_options: SignOptions::Always, ..server("h", "s") };
        assert_eq!(unsigned.faults()[0].0, "/sign_options");
        let nobody =
            Server { password: Some(SecretName::Name("x".to_owned())), ..server("h", "s") };
        assert_eq!(nobody.faults()[0].0, "/username");
    }
}

//! Where a request may go: what the user typed is trusted, what an index or a redirect says is not (F109). And
//! whether digests that can be forged count.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
};

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use wharf_store::model::Source;

/// The places that the settings of one attachment name.
///
/// A host that is named here may lie at any address, also inside this machine. All other hosts, whether
/// an index lists them or a redirect leads to them, must lie in the public network. Local files are read
/// from beneath the named folders only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    folders: Vec<PathBuf>,
    hosts: Vec<String>,
    weak_digests: bool,
}

impl Trust {
    /// Trusts nothing but public hosts.
    pub fn public() -> Self {
        Self::default()
    }

    /// Trusts in addition what a setting holds, when it holds an address: the host of `http` and `https`,
    /// the folder of `file://` (of a file: the one it lies in), or an absolute path (a folder). Other
    /// texts change nothing.
    #[must_use]
    pub fn typed(mut self, setting: &str) -> Self {
        if let Some(path) = file_path(setting) {
            for path in [path.clone(), decoded(&path)] {
                self.add_folder(if setting.ends_with('/') {
                    path
                } else {
                    path.parent().map_or(path.clone(), Path::to_path_buf)
                });
            }
        } else if setting.starts_with('/') {
            self.add_folder(PathBuf::from(setting));
        } else if let Ok(url) = Url::parse(setting)
            && matches!(url.scheme(), "http" | "https")
            && let Some(host) = url.host_str()
        {
            self.hosts.push(host.to_owned());
        }
        self
    }

    /// Trusts in addition this host: a name or a literal address, as an index writes it.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        self.hosts.push(host.to_ascii_lowercase());
        self
    }

    /// Trusts in addition local files beneath this folder.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.add_folder(folder.into());
        self
    }

    /// Takes bytes in addition that only MD5 or SHA-1 vouches for (F104).
    #[must_use]
    pub fn weak_digests(mut self) -> Self {
        self.weak_digests = true;
        self
    }

    pub(super) fn takes_weak_digests(&self) -> bool {
        self.weak_digests
    }

    fn add_folder(&mut self, folder: PathBuf) {
        if !self.folders.contains(&folder) {
            self.folders.push(folder);
        }
    }

    /// Whether this host was typed.
    pub(super) fn names(&self, url: &Url) -> bool {
        url.host_str().is_some_and(|host| self.hosts.iter().any(|typed| typed == host))
    }

    /// The folders that local files may lie beneath.
    pub(super) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }
}

/// The path of a `file://` address, as it is written: such addresses are not percent-encoded everywhere.
pub(super) fn file_path(url: &str) -> Option<PathBuf> {
    let rest = url.get(7..).filter(|_| is_file(url))?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    path.starts_with('/').then(|| PathBuf::from(path))
}

/// Whether an address names a local file.
pub(super) fn is_file(url: &str) -> bool {
    url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file://"))
}

/// The same path with percent codes resolved.
pub(super) fn decoded(path: &Path) -> PathBuf {
    let text = path.to_string_lossy();
    PathBuf::from(percent_decode_str(&text).decode_utf8_lossy().into_owned())
}

/// The literal address of a host, if it is one and lies inward.
pub(super) fn inward_literal(url: &Url) -> Option<IpAddr> {
    let address = match url.host()? {
        Host::Ipv4(address) => IpAddr::V4(address),
        Host::Ipv6(address) => IpAddr::V6(address),
        Host::Domain(_) => return None,
    };
    is_inward(address).then_some(address)
}

/// Whether an address leads into this machine, a private net, or to many hosts at once.
///
/// The nets for documentation (RFC 5737, RFC 3849) do not: nobody has a host there, except gateways whose name service
/// sends all of the public network to them. Source: the IANA special-purpose address registries (RFC 6890 and what was
/// added since).
pub(super) fn is_inward(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_inward_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => is_inward_v4(inner),
            None => is_inward_v6(address),
        },
    }
}

fn is_inward_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    matches!(
        (a, b, c),
        (0 | 10 | 127 | 224.., _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0)
            | (192, 168, _)
            | (198, 18 | 19, _)
    )
}

fn is_inward_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, ..] = address.segments();
    let global = (0x2000..0x4000).contains(&a);
    // Inside 2000::/3: Teredo and other protocol assignments.
    !global || (a == 0x2001 && b < 0x200) || {
        // 2002::/16 without its IPv4 address is caught by `embedded`; nothing else is special.
        a == 0x2002 && b == 0 && c == 0
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, NAT64, 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))),
        _ => None,
    }
}

/// An address fit to be shown: without password, and without query values that look like secrets (F186).
pub(super) fn shown(url: &Url) -> String {
    if url.password().is_none() && url.query().is_none() {
        return url.to_string();
    }
    let mut url = url.clone();
    if url.password().is_some() {
        // Fails only for addresses that cannot have a password.
        url.set_password(Some("***")).unwrap_or_default();
    }
    if let Some(query) = url.query() {
        let query: Vec<String> = query.split('&').map(masked).collect();
        url.set_query(Some(&query.join("&")));
    }
    url.to_string()
}

/// The same for a text that may not be an address at all.
pub(super) fn shown_text(text: &str) -> String {
    Url::parse(text).map_or_else(|_| text.chars().take(200).collect(), |url| shown(&url))
}

/// What a source keeps secret, so that it can be taken out of a server's words (F186).
pub(super) fn secrets(source: &Source) -> Vec<String> {
    let url = Url::parse(&source.url).ok();
    let password = url.as_ref().and_then(Url::password).unwrap_or_default();
    let plain = percent_decode_str(password).decode_utf8_lossy().into_owned();
    let values = source.headers.values().flat_map(|value| {
        // The scheme of an authorization is no secret, what follows it is.
        [value.clone(), value.split_once(' ').map_or(value.clone(), |(_, rest)| rest.to_owned())]
    });
    // Shorter ones would turn ordinary words into stars.
    [password.to_owned(), plain]
        .into_iter()
        .chain(values)
        .filter(|secret| secret.len() >= 4)
        .collect()
}

fn masked(pair: &str) -> String {
    const SECRET: [&str; 9] =
        ["token", "key", "sig", "secret", "pass", "pwd", "auth", "credential", "session"];
    match pair.split_once('=') {
        Some((name, _)) if SECRET.iter().any(|word| name.to_ascii_lowercase().contains(word)) => {
            format!("{name}=***")
        }
        _ => pair.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inward_addresses_are_known_in_every_spelling() {
        // F109
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001::1",
            "::7f00:1",
        ] {
            assert!(is_inward(text.parse().unwrap()), "{text}");
        }
        for text in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "2a00::1",
            "203.0.113.80",
            "2001:db8::1",
        ] {
            assert!(!is_inward(text.parse().unwrap()), "{text}");
        }
        for text in [
            "http://0x7f.1/",
            "http://2130706433/",
            "http://[::ffff:127.0.0.1]/",
            "http://127.1:80/",
        ] {
            assert!(inward_literal(&Url::parse(text).unwrap()).is_some(), "{text}");
        }
    }

    #[test]
    fn settings_name_hosts_and_folders() {
        let trust = Trust::public()
            .typed("http://127.0.0.1:8080/a/PULP_MANIFEST")
            .typed("file:///srv/my%20files/PULP_MANIFEST")
            .typed("/data/in")
            .typed("mirror");
        assert!(trust.names(&Url::parse("https://127.0.0.1/x").unwrap()));
        assert!(!trust.names(&Url::parse("https://127.0.0.2/x").unwrap()));
        assert_eq!(
            trust.folders(),
            [
                PathBuf::from("/srv/my%20files"),
                PathBuf::from("/srv/my files"),
                PathBuf::from("/data/in")
            ]
        );
    }

    #[test]
    fn shown_addresses_hide_secrets() {
        // F186
        let url =
            Url::parse("https://me:word@host/a?X-Amz-Signature=abc&b=1&access_token=zz").unwrap();
        assert_eq!(shown(&url), "https://me:***@host/a?X-Amz-Signature=***&b=1&access_token=***");
        let url = Url::parse("https://host/a?b=1").unwrap();
        assert_eq!(shown(&url), "https://host/a?b=1");
    }
}

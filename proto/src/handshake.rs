//! The first words between a host and a plugin: the environment that the host sets, and the one line that the
//! plugin prints.
//!
//! Pure parsing and printing. Never reads the environment, a pipe or a socket, and never judges what a value means
//! to one host (its versions, its socket policy, whether it asked for TLS): callers do.
//!
//! A host sends [`Environment::to_vars`] and reads [`Line::parse`]; a plugin reads [`Environment::read`], picks a
//! version by [`negotiate`] and prints a [`Line`]. Source: the go-plugin protocol as told in `proto/README.md`.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD_NO_PAD};

/// The only core protocol version there is: the first field of the line.
pub const CORE_PROTOCOL: u32 = 1;

/// A line of this many bytes, line feed not counted, or more is refused.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// Every variable of the protocol but the cookie: a host removes them from the environment that it inherited, so
/// that a plugin which is itself a host does not hand its own host's wishes to its children.
pub const VARIABLES: &[&str] =
    &[VERSIONS, MIN_PORT, MAX_PORT, CLIENT_CERT, MULTIPLEX, SOCKET_DIR, SOCKET_GROUP];

const VERSIONS: &str = "PLUGIN_PROTOCOL_VERSIONS";
const MIN_PORT: &str = "PLUGIN_MIN_PORT";
const MAX_PORT: &str = "PLUGIN_MAX_PORT";
const CLIENT_CERT: &str = "PLUGIN_CLIENT_CERT";
const MULTIPLEX: &str = "PLUGIN_MULTIPLEX_GRPC";
const SOCKET_DIR: &str = "PLUGIN_UNIX_SOCKET_DIR";
const SOCKET_GROUP: &str = "PLUGIN_UNIX_SOCKET_GROUP";

/// The one transport protocol that is spoken here; go-plugin knows `netrpc` besides.
const GRPC: &str = "grpc";

/// A sixth field of at most this many characters is no certificate: old versions put other data there.
const NO_CERTIFICATE_CHARS: usize = 50;

/// Bytes of the offending text that an error shows.
const SHOWN_BYTES: usize = 200;

/// Go prints no padding and refuses it; libraries of other languages print it. Both are read, and trailing bits
/// are not looked at, as in Go.
const CERTIFICATE_BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What kind of address the third field announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// The address is the path of a Unix socket.
    Unix,
    /// The address is `HOST:PORT`.
    Tcp,
}

impl Network {
    /// By its word on the wire.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "unix" => Some(Self::Unix),
            "tcp" => Some(Self::Tcp),
            _ => None,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unix => "unix",
            Self::Tcp => "tcp",
        })
    }
}

/// A handshake line that says `grpc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The application protocol version that the plugin chose.
    pub app: u32,
    /// The kind of `address`.
    pub network: Network,
    /// Where the plugin listens. Not empty, without `|`, NUL and line feed; else as the plugin wrote it.
    pub address: String,
    /// The plugin's certificate, DER, not looked into. `None`: the plugin speaks without TLS.
    pub certificate: Option<Vec<u8>>,
    /// Whether the broker's connections share one socket. `None`: the plugin did not say, or not as a boolean.
    pub multiplexing: Option<bool>,
}

impl Line {
    /// Reads the first line of a plugin's standard output, with or without its line end.
    ///
    /// Blanks around the line and fields after the seventh are ignored.
    ///
    /// # Errors
    /// The first thing in reading order that a host cannot go on with.
    pub fn parse(line: &[u8]) -> Result<Self, LineError> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if line.len() >= MAX_LINE_BYTES {
            return Err(LineError::TooLong { bytes: line.len() });
        }
        let text = str::from_utf8(line).map_err(|source| LineError::NotUtf8 {
            line: shown(line),
            offset: source.valid_up_to(),
        })?;
        let text = text.trim();
        if text.starts_with('\u{feff}') {
            return Err(LineError::ByteOrderMark);
        }
        if text.contains(['\0', '\n']) {
            return Err(LineError::ControlCharacter { line: shown(line) });
        }
        parse_fields(text)
    }
}

/// Six fields, and a seventh only when [`Line::multiplexing`] is set: hosts that did not ask for it take it for a
/// part of the certificate. No line end.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { app, network, address, certificate, multiplexing } = self;
        write!(f, "{CORE_PROTOCOL}|{app}|{network}|{address}|{GRPC}|")?;
        if let Some(der) = certificate {
            f.write_str(&STANDARD_NO_PAD.encode(der))?;
        }
        match multiplexing {
            Some(multiplexing) => write!(f, "|{multiplexing}"),
            None => Ok(()),
        }
    }
}

fn parse_fields(text: &str) -> Result<Line, LineError> {
    let fields: Vec<&str> = text.split('|').take(7).collect();
    let [core, app, network, address, rest @ ..] = fields.as_slice() else {
        return Err(LineError::TooFewFields { line: shown(text.as_bytes()), fields: fields.len() });
    };
    parse_core(core)?;
    let app = app
        .parse()
        .map_err(|_not_a_number| LineError::AppVersion { field: shown(app.as_bytes()) })?;
    let network = parse_network(network)?;
    check_address(network, address)?;
    match rest.first().copied().unwrap_or("netrpc") {
        GRPC => {}
        other => return Err(LineError::Transport { protocol: shown(other.as_bytes()) }),
    }
    Ok(Line {
        app,
        network,
        address: (*address).to_owned(),
        certificate: rest.get(1).map_or(Ok(None), |field| parse_certificate(field))?,
        multiplexing: rest.get(2).and_then(|field| go_bool(field)),
    })
}

fn parse_core(field: &str) -> Result<(), LineError> {
    match field.parse::<i64>() {
        Ok(core) if core == i64::from(CORE_PROTOCOL) => Ok(()),
        Ok(core) => Err(LineError::IncompatibleCore { core }),
        Err(_not_a_number) => Err(LineError::CoreVersion { field: shown(field.as_bytes()) }),
    }
}

fn parse_network(field: &str) -> Result<Network, LineError> {
    let unknown = || LineError::UnknownNetwork { network: shown(field.as_bytes()) };
    Network::from_word(field).ok_or_else(unknown)
}

fn check_address(network: Network, address: &str) -> Result<(), LineError> {
    if address.is_empty() {
        return Err(LineError::NoAddress);
    }
    let has_port = || {
        let (host, port) = address.rsplit_once(':')?;
        let one_host = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
        (one_host && port.parse::<u16>().is_ok()).then_some(())
    };
    if network == Network::Tcp && has_port().is_none() {
        return Err(LineError::TcpAddress { address: shown(address.as_bytes()) });
    }
    Ok(())
}

fn parse_certificate(field: &str) -> Result<Option<Vec<u8>>, LineError> {
    if field.len() <= NO_CERTIFICATE_CHARS {
        return Ok(None);
    }
    CERTIFICATE_BASE64.decode(field).map(Some).map_err(|source| LineError::Certificate { source })
}

/// What Go's `strconv.ParseBool` takes for a boolean.
fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// Bytes from outside for an error message: escaped, so that they cannot move a terminal's cursor, and cut.
fn shown(bytes: &[u8]) -> String {
    let (bytes, mark) = bytes
        .split_at_checked(SHOWN_BYTES)
        .map_or((bytes, ""), |(head, tail)| (head, if tail.is_empty() { "" } else { "..." }));
    let escaped: String = String::from_utf8_lossy(bytes).chars().flat_map(escape).collect();
    escaped + mark
}

fn escape(c: char) -> impl Iterator<Item = char> {
    let plain = (!c.is_control() && !is_bidi(c)).then_some(c);
    let escaped = plain.is_none().then(|| c.escape_default());
    plain.into_iter().chain(escaped.into_iter().flatten())
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Why a line is no handshake. Texts from the plugin are escaped and cut to 200 bytes.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineError {
    /// [`MAX_LINE_BYTES`] or more.
    #[error(
        "the handshake line has {bytes} bytes or more, at most {} are allowed; \
         standard output is reserved for the handshake",
        MAX_LINE_BYTES - 1
    )]
    TooLong {
        /// How many were read.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("the handshake line is not UTF-8 from byte {offset} on: \"{line}\"")]
    NotUtf8 {
        /// The line.
        line: String,
        /// The first bad byte.
        offset: usize,
    },
    /// It begins with a byte order mark.
    #[error("the handshake line begins with a byte order mark; print plain UTF-8 without one")]
    ByteOrderMark,
    /// It contains a NUL or a line feed.
    #[error("the handshake line contains a NUL or a line feed: \"{line}\"")]
    ControlCharacter {
        /// The line.
        line: String,
    },
    /// Fewer than four fields: most often a text that was printed before the handshake.
    #[error(
        "the first line on standard output is no handshake, it has {fields} of six fields: \"{line}\"; \
         standard output is reserved for the handshake, print everything else to standard error"
    )]
    TooFewFields {
        /// The line.
        line: String,
        /// How many fields it has.
        fields: usize,
    },
    /// The core protocol version is not a number.
    #[error("the handshake's core protocol version is not a number: \"{field}\"")]
    CoreVersion {
        /// The first field.
        field: String,
    },
    /// The core protocol version is not [`CORE_PROTOCOL`].
    #[error(
        "the plugin speaks core protocol version {core}, this host speaks {CORE_PROTOCOL}; \
         rebuild the plugin with a library of core version {CORE_PROTOCOL}"
    )]
    IncompatibleCore {
        /// The plugin's version.
        core: i64,
    },
    /// The application protocol version is not a number from 0 to 4,294,967,295.
    #[error("the handshake's application protocol version is not a number: \"{field}\"")]
    AppVersion {
        /// The second field.
        field: String,
    },
    /// Neither `unix` nor `tcp`.
    #[error("the handshake names an unknown network \"{network}\"; known are unix and tcp")]
    UnknownNetwork {
        /// The third field.
        network: String,
    },
    /// The fourth field is empty.
    #[error("the handshake has no address")]
    NoAddress,
    /// Not `HOST:PORT`.
    #[error("the handshake's TCP address \"{address}\" is not HOST:PORT")]
    TcpAddress {
        /// The fourth field.
        address: String,
    },
    /// Another transport protocol than `grpc`; a missing field means `netrpc`.
    #[error("the plugin offers the protocol \"{protocol}\"; only grpc is supported")]
    Transport {
        /// The fifth field.
        protocol: String,
    },
    /// The sixth field is too long to be nothing, and not base64.
    #[error("the handshake's certificate is not base64: {source}")]
    Certificate {
        /// What is wrong, and where.
        source: base64::DecodeError,
    },
}

/// The variables of the protocol, but for the cookie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// The application protocol versions that the host speaks.
    pub versions: Vec<u32>,
    /// The lowest TCP port that a plugin without Unix sockets may take; 0 with `max_port` 0 is "any".
    pub min_port: u16,
    /// The highest such port.
    pub max_port: u16,
    /// The host's certificate, PEM. `None`: the host speaks without TLS.
    pub client_certificate: Option<String>,
    /// Where the plugin makes its sockets; UTF-8, as the line that names one is. `None`: the folder for temporary
    /// files.
    pub socket_dir: Option<PathBuf>,
    /// A group by name or number that may use the sockets.
    pub socket_group: Option<String>,
    /// `None`: the host did not mention multiplexing, so [`Line::multiplexing`] must stay `None` too.
    /// `Some(false)`: it did, in a word that does not mean "yes".
    pub multiplex: Option<bool>,
}

impl Environment {
    /// The variables as a host sets them. Those that are not set here must not be inherited either: see
    /// [`VARIABLES`].
    pub fn to_vars(&self) -> Vec<(&'static str, String)> {
        let versions: Vec<String> = self.versions.iter().map(u32::to_string).collect();
        let always = [
            (VERSIONS, versions.join(",")),
            (MIN_PORT, self.min_port.to_string()),
            (MAX_PORT, self.max_port.to_string()),
        ];
        let maybe = [
            (CLIENT_CERT, self.client_certificate.clone()),
            (SOCKET_DIR, self.socket_dir.as_ref().map(|dir| dir.to_string_lossy().into_owned())),
            (SOCKET_GROUP, self.socket_group.clone()),
            (MULTIPLEX, self.multiplex.map(|multiplex| multiplex.to_string())),
        ];
        let set = maybe.into_iter().filter_map(|(key, value)| Some((key, value?)));
        always.into_iter().chain(set).collect()
    }

    /// Reads the variables as a plugin does: an empty one is one that is not set, a version that is no number is
    /// left out (see [`parse_versions`]), a port that is none counts as 0.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let text = |key| lookup(key).filter(|value| !value.is_empty());
        let port = |key| text(key).and_then(|value| value.parse().ok()).unwrap_or(0);
        Self {
            versions: parse_versions(&text(VERSIONS).unwrap_or_default()).0,
            min_port: port(MIN_PORT),
            max_port: port(MAX_PORT),
            client_certificate: text(CLIENT_CERT),
            socket_dir: text(SOCKET_DIR).map(PathBuf::from),
            socket_group: text(SOCKET_GROUP),
            multiplex: text(MULTIPLEX).map(|value| go_bool(&value) == Some(true)),
        }
    }
}

/// Splits the value of `PLUGIN_PROTOCOL_VERSIONS` into versions and items that are none, which a plugin reports on
/// standard error and otherwise ignores.
pub fn parse_versions(text: &str) -> (Vec<u32>, Vec<&str>) {
    let items = text.split(',').filter(|item| !item.is_empty());
    let (good, bad): (Vec<&str>, Vec<&str>) = items.partition(|item| item.parse::<u32>().is_ok());
    (good.into_iter().filter_map(|item| item.parse().ok()).collect(), bad)
}

/// The version that a plugin speaks: the highest that both sides know, else its own lowest, which the host then
/// refuses by name. `None` only when the plugin has none of its own.
pub fn negotiate(own: &[u32], offered: &[u32]) -> Option<u32> {
    let shared = own.iter().filter(|version| offered.contains(version)).max();
    shared.or_else(|| own.iter().min()).copied()
}

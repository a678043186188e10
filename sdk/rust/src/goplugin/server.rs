//! What a plugin is made of, collected.

use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use wharf_peer::Security;
use wharf_proto::handshake::Network;

use super::context::Context;
use super::running::{self, Running};
use super::set::Services;
use super::{StartError, edge, reserve};

/// What calls get to end by themselves. A go-plugin host kills two seconds after it asked for the end.
pub(crate) const GRACE: Duration = Duration::from_millis(1_200);

const BY_HAND: &str = "This program is a plugin and does nothing when it is run by hand.\n\
                       The program that it belongs to starts it by itself when it is needed.\n\
                       See there for where plugins are put and how they are configured.";

/// Makes the services once it is known who asks for them.
pub(super) type Make = Box<dyn FnOnce(Context) -> Services + Send>;

/// A plugin to be: the cookie that tells its host, and a set of services for each version of the application's
/// protocol. Everything else has its default.
pub struct Server {
    pub(super) cookie: (String, String),
    pub(super) by_hand: String,
    pub(super) versions: BTreeMap<u32, Make>,
    pub(super) settings: Settings,
}

pub(super) struct Settings {
    pub(super) descriptors: Vec<&'static [u8]>,
    pub(super) tls: Option<Security>,
    pub(super) network: Network,
    pub(super) threads: usize,
    pub(super) grace: Duration,
    pub(super) log_level: LevelFilter,
    pub(super) log_caller: bool,
    pub(super) capture_stderr: bool,
    pub(super) multiplexing: bool,
}

impl Server {
    /// A plugin of hosts that set this variable to this value.
    ///
    /// Make it the first thing in `main`: when the program was started by such a host, standard output belongs to the
    /// handshake from here on, and whatever is printed before [`Server::serve`] goes to standard error.
    pub fn new(cookie_key: impl Into<String>, cookie_value: impl Into<String>) -> Self {
        let cookie = (cookie_key.into(), cookie_value.into());
        if edge::is_launched(&cookie) {
            reserve::standard_output();
        }
        Self {
            cookie,
            by_hand: BY_HAND.to_owned(),
            versions: BTreeMap::new(),
            settings: Settings {
                descriptors: Vec::new(),
                tls: None,
                network: Network::Unix,
                threads: 1,
                grace: GRACE,
                log_level: LevelFilter::DEBUG,
                log_caller: false,
                capture_stderr: false,
                multiplexing: true,
            },
        }
    }

    /// The services of one version of the application's protocol. The highest version that the host knows too is
    /// spoken; without one, the lowest, and the host says what is wrong. Only the services of that version are made. A
    /// second set for the same version takes the place of the first.
    ///
    /// Health, controller, broker, stdio and reflection are added; services with those names must not be among yours.
    #[must_use]
    pub fn version<S: Into<Services>>(
        mut self,
        version: u32,
        services: impl FnOnce(Context) -> S + Send + 'static,
    ) -> Self {
        self.versions.insert(version, Box::new(|context| services(context).into()));
        self
    }

    /// The encoded descriptors of the services, as code generators write them: reflection then tells their messages.
    /// Without it, it tells only of the services that every plugin has.
    #[must_use]
    pub fn reflection(mut self, file_descriptor_set: &'static [u8]) -> Self {
        self.settings.descriptors.push(file_descriptor_set);
        self
    }

    /// TLS of the author's own, in place of that which host and plugin agree on at launch: the host must be
    /// configured with its counterpart. ALPN must offer `h2`.
    #[must_use]
    pub fn tls(mut self, security: Security) -> Self {
        self.settings.tls = Some(security);
        self
    }

    /// Listens on TCP, on loopback, instead of a Unix socket: on the lowest free port of the range that the host
    /// gives. Every user of the machine can connect, so leave it to hosts that use TLS.
    #[must_use]
    pub fn tcp(mut self) -> Self {
        self.settings.network = Network::Tcp;
        self
    }

    /// Runs calls on this many threads. Without it they share one, which answers fastest: enough for services that
    /// wait for others and move long work to `spawn_blocking`.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.settings.threads = threads;
        self
    }

    /// What calls get to end by themselves once the plugin is to stop, before they are cut; 1.2 seconds without this.
    /// Go hosts kill two seconds after they asked for the end.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }

    /// The lowest level of `tracing` events that go to the host; debug without this. Those of the libraries
    /// underneath are sent from warnings on.
    #[must_use]
    pub fn log_level(mut self, level: impl Into<LevelFilter>) -> Self {
        self.settings.log_level = level.into();
        self
    }

    /// Whether each line of the log names file and line of its origin, as `@caller`; not without this.
    #[must_use]
    pub fn log_caller(mut self, caller: bool) -> Self {
        self.settings.log_caller = caller;
        self
    }

    /// Whether what is printed on standard error goes to the host as output, as what is printed on standard output
    /// does, instead of as log lines; not without this. Logs and panics go to the host's log in either case.
    #[must_use]
    pub fn capture_stderr(mut self, capture: bool) -> Self {
        self.settings.capture_stderr = capture;
        self
    }

    /// Whether all connections go through one socket when the host asks for it; they do without this.
    #[must_use]
    pub fn multiplexing(mut self, capable: bool) -> Self {
        self.settings.multiplexing = capable;
        self
    }

    /// What the program says when a user runs it by hand.
    #[must_use]
    pub fn by_hand(mut self, text: impl Into<String>) -> Self {
        self.by_hand = text.into();
        self
    }

    /// Serves until the host wants the plugin to stop. Call it in `main`, which must not be `async`, and return what it
    /// gives. From here on a panic hook of its own writes every panic to the host's log.
    ///
    /// Ends with status 1 and a reason on standard error when no host started the program or it cannot be served.
    pub fn serve(self) -> ExitCode {
        edge::exit(edge::serve(self))
    }

    /// Serves without a host, for a debugger: prints a [`Reattach`](super::Reattach) description on standard output,
    /// by which a host attaches, as often as it likes. Ctrl-C ends it. Neither cookie nor certificate is looked at.
    pub fn debug(self) -> ExitCode {
        edge::exit(edge::debug(self))
    }

    /// Serves inside this process, for tests: no cookie, no environment, no handshake, no signals; what is printed
    /// stays where it is. It runs on a thread of its own until the result is stopped or dropped.
    ///
    /// # Errors
    /// Everything that would keep the plugin from starting.
    pub async fn test(self) -> Result<Running, StartError> {
        running::start(self).await
    }

    /// What must be so before anything else is looked at.
    pub(super) fn check_cookie(&self) -> Result<(), StartError> {
        let (key, value) = &self.cookie;
        let missing =
            [(key, "name"), (value, "value")].into_iter().find(|(half, _)| half.is_empty());
        missing.map_or(Ok(()), |(_, what)| Err(StartError::NoCookie { what }))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("cookie", &self.cookie.0)
            .field("versions", &self.versions.keys())
            .finish_non_exhaustive()
    }
}

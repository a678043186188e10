//! A process that runs proves that it is a plugin of ours: by its handshake line, by TLS, by health.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tonic::transport::Channel;
use tracing::warn;
use wharf_peer::{Address, Mux, Security};
use wharf_proto::handshake::Line;

use super::handshake::{NoLine, Reader};
use super::runner::{Pipe, diagnosis};
use super::tls::Ours;
use super::{Launch, diagnose, handshake, output};
use crate::connect::Shared;
use crate::connect::channel::{self, Way};
use crate::connect::dial::{DialError, Target};
use crate::connect::health::{self, Health};
use crate::connect::rules::Rules;
use crate::error::{Error, Tail};

/// How long a process may take to end after its output has.
const END_GRACE: Duration = Duration::from_secs(1);
/// How long a process that printed nonsense may take to end by itself, which then explains the
/// nonsense.
const EXPLAIN_GRACE: Duration = Duration::from_millis(100);

/// One process that has not proven anything yet.
pub(super) struct Trial<'a> {
    pub(super) launch: &'a Launch,
    pub(super) program: &'a Path,
    pub(super) shared: &'a Shared,
    pub(super) deadline: Instant,
    /// The plugin's `PATH`.
    pub(super) search_path: Option<OsString>,
    pub(super) ours: &'a Ours,
    pub(super) rules: Arc<Rules>,
}

/// That it is a plugin of ours.
pub(super) struct Proof {
    pub(super) app: u32,
    pub(super) address: Address,
    pub(super) security: Option<Security>,
    pub(super) channel: Channel,
    pub(super) mux: Option<Mux>,
    /// As the line has it.
    pub(super) certificate: Option<Vec<u8>>,
    /// When the line came.
    pub(super) line_at: Instant,
}

impl Trial<'_> {
    pub(super) async fn prove(
        &self,
        stdout: Pipe,
        tasks: &mut JoinSet<()>,
    ) -> Result<Proof, Error> {
        let (line, text) = self.read_line(stdout, tasks).await?;
        let line_at = Instant::now();
        if !self.launch.versions.contains(&line.app) {
            return Err(self.handshake(self.version_problem(line.app)).await);
        }
        let multiplex = match handshake::multiplexing(self.launch.wire.multiplex, &line, &text) {
            Ok(multiplex) => multiplex,
            Err(problem) => return Err(self.handshake(problem).await),
        };
        let security = match self.ours.agree(line.certificate.as_deref()) {
            Ok(security) => security,
            Err(problem) => return Err(self.handshake(problem).await),
        };
        let address = Address { network: line.network, text: line.address };
        let address = match self.rules.translate(address) {
            Ok(address) => address,
            Err(problem) => return Err(self.handshake(problem).await),
        };
        let (text, rules) = (address.clone(), Arc::clone(&self.rules));
        let target = Target { address: text, rules, listener: None };
        let way = Way { target, security: security.clone(), advice: self.ours.advice() };
        let (channel, mux) = match channel::open(way, multiplex, tasks, self.deadline).await {
            Ok(opened) => opened,
            Err(DialError::Policy(problem)) => {
                let problem = format!("{problem}{}", Tail(&self.shared.logs.tail()));
                return Err(Error::Policy { plugin: self.launch.name.clone(), problem });
            }
            Err(DialError::Failed(problem)) => return Err(self.handshake(problem).await),
        };
        self.ask_for_health(channel.clone()).await?;
        let (app, certificate) = (line.app, line.certificate);
        Ok(Proof { app, address, security, channel, mux, certificate, line_at })
    }

    async fn read_line(
        &self,
        stdout: Pipe,
        tasks: &mut JoinSet<()>,
    ) -> Result<(Line, String), Error> {
        let logs = &self.shared.logs;
        let mut reader = Reader::new(stdout);
        let reading = handshake::read(&mut reader, self.launch.streams.skip_lines, logs);
        let read = match timeout_at(self.deadline, reading).await {
            Ok(read) => read,
            Err(_elapsed) => {
                return Err(Error::StartTimeout {
                    plugin: self.launch.name.clone(),
                    what: "printed no handshake",
                    after: self.launch.start_timeout,
                    stderr: logs.tail(),
                });
            }
        };
        let Reader { pipe, rest } = reader;
        tasks.spawn(output::drain_stdout(pipe, rest, Arc::clone(logs)));
        match read {
            Ok(line) => Ok(line),
            Err(NoLine::Ended) => Err(self.no_line().await),
            Err(NoLine::Unreadable(error)) => {
                Err(self.handshake(format!("cannot read its output: {error}")).await)
            }
            Err(NoLine::Wrong(problem)) => Err(self.handshake(problem).await),
        }
    }

    async fn ask_for_health(&self, channel: Channel) -> Result<(), Error> {
        let plugin = || self.launch.name.clone();
        match timeout_at(self.deadline, health::check(channel)).await {
            Ok(Health::Serving) => Ok(()),
            Ok(Health::Missing) => {
                warn!(plugin = plugin(), "the plugin has no health service named \"plugin\"");
                Ok(())
            }
            Ok(Health::NotServing(status)) => {
                let problem = format!("its health service says {status} instead of SERVING");
                Err(self.handshake(problem).await)
            }
            Ok(Health::Failed(problem)) => {
                let problem = format!("the first call after the handshake failed: {problem}");
                Err(self.handshake(problem).await)
            }
            Err(_elapsed) => Err(Error::Unresponsive {
                plugin: plugin(),
                after: self.launch.start_timeout,
                stderr: self.shared.logs.tail(),
            }),
        }
    }

    /// The output ended without a line: most often the process has too (F8, F9).
    async fn no_line(&self) -> Error {
        let Ok(exit) = timeout(END_GRACE, self.shared.wait()).await else {
            return self.handshake("it closed standard output without a handshake".into()).await;
        };
        let hint = match self.diagnosis().await {
            Some(diagnosis) => Some(diagnosis),
            None => diagnose::early_end(self.program, &exit, self.search_path.as_deref()),
        };
        Error::Ended { plugin: self.launch.name.clone(), exit, hint }
    }

    /// With the process' own end, if it is ending, because that is the better explanation.
    async fn handshake(&self, mut problem: String) -> Error {
        let exit = timeout(EXPLAIN_GRACE, self.shared.wait()).await.ok().map(Box::new);
        if let Some(diagnosis) = self.diagnosis().await {
            problem = format!("{problem}; {diagnosis}");
        }
        let plugin = self.launch.name.clone();
        Error::Handshake { plugin, problem, exit, stderr: self.shared.logs.tail() }
    }

    /// A runner's own words.
    async fn diagnosis(&self) -> Option<String> {
        diagnosis(&**self.launch.runner.as_ref()?).await
    }

    fn version_problem(&self, app: u32) -> String {
        let own: Vec<_> = self.launch.versions.iter().map(u32::to_string).collect();
        let newer = self.launch.versions.iter().all(|&own| own < app);
        format!(
            "it speaks application protocol version {app}, this host speaks {}; upgrade the {}",
            own.join(", "),
            if newer { "host" } else { "plugin" }
        )
    }
}

//! What a supervisor needs to know.

use std::path::PathBuf;
use std::time::Duration;

use tonic::service::Routes;

use crate::launch::{EnvPolicy, GRACE, Guardian, Limits, MAX_MESSAGE_BYTES, Mask, START_TIMEOUT};

/// How a [`crate::Supervisor`] treats the processes of all plugins.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where the host's folder for sockets is made: [`crate::standard_runtime_dir`]. A path that is
    /// too long for sockets is replaced by a shorter one of the system.
    pub runtime_dir: PathBuf,
    /// From a start to the first answer. 60 s.
    pub start_timeout: Duration,
    /// How often a process is asked for a sign of life. 5 s.
    pub heartbeat: Duration,
    /// How long it may take to give one, before it is killed. 20 s.
    pub heartbeat_timeout: Duration,
    /// How long a stop waits after `Shutdown`. 2 s.
    pub grace: Duration,
    /// How long it waits after `SIGTERM`. 2 s.
    pub term_grace: Duration,
    /// The largest message that is taken from a plugin. 4 MiB.
    pub max_message_bytes: usize,
    /// The pause after a first failure; it doubles with each further one in a row. 100 ms.
    pub backoff: Duration,
    /// The longest pause. 60 s.
    pub max_backoff: Duration,
    /// After so many failures in a row leases are refused at once until the pause is over. 5.
    pub crash_loop: u32,
    /// How many idle processes of one plugin are kept; further ones are stopped as soon as they are
    /// given back. 2.
    pub max_idle: usize,
    /// How long a process that nobody uses is kept; the next lease starts a new one. 5 min. `None`:
    /// for ever.
    pub idle: Option<Duration>,
    /// How often one process is lent before a new one takes its place (F76). 1,000: what leaks
    /// 100 KiB in each job has grown by 100 MiB then, and a start in a thousand costs nobody
    /// anything. `None`: without end.
    pub max_leases: Option<u32>,
    /// How old a process gets before a new one takes its place. 1 h, which bounds what grows with
    /// time and not with use, such as descriptors, caches and old credentials. `None`: as old as it
    /// likes.
    pub max_age: Option<Duration>,
    /// How much memory a process may hold when it is given back, before a new one takes its place:
    /// resident, without its children. 512 MiB, several times what the runtimes of Go, Python, Node
    /// and Java need to do nothing; one that always holds more is started anew for each job, and the
    /// log says why. `None`: as much as it likes.
    pub max_resident_bytes: Option<u64>,
    /// What each process may use of the machine. A manifest's `limits.open_files` counts too, where
    /// it is stricter.
    pub limits: Limits,
    /// Which program guards the plugins.
    pub guardian: Guardian,
    /// Which of the host's variables plugins see.
    pub env: EnvPolicy,
    /// What is taken out of the lines that plugins write.
    pub mask: Mask,
    /// What plugins may ask of the host: served for each process on a socket of its own, with a
    /// [`crate::PeerProcess`] in every request's extensions.
    pub host_services: Option<Routes>,
    /// What plugins are told that the host offers.
    pub features: Vec<String>,
}

impl Config {
    /// The defaults, with sockets below `runtime_dir`.
    pub fn new(runtime_dir: impl Into<PathBuf>) -> Self {
        Self {
            runtime_dir: runtime_dir.into(),
            start_timeout: START_TIMEOUT,
            heartbeat: Duration::from_secs(5),
            heartbeat_timeout: Duration::from_secs(20),
            grace: GRACE,
            term_grace: GRACE,
            max_message_bytes: MAX_MESSAGE_BYTES,
            backoff: Duration::from_millis(100),
            max_backoff: Duration::from_mins(1),
            crash_loop: 5,
            max_idle: 2,
            idle: Some(Duration::from_mins(5)),
            max_leases: Some(1_000),
            max_age: Some(Duration::from_hours(1)),
            max_resident_bytes: Some(512 << 20),
            limits: Limits::default(),
            guardian: Guardian::default(),
            env: EnvPolicy::default(),
            mask: Mask::default(),
            host_services: None,
            features: Vec::new(),
        }
    }
}

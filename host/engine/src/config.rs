//! What an engine needs to be told.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;
use wharf_supervisor::{Guardian, Reattach, SearchPath};

use crate::callbacks;
use crate::clock::Clock;
use crate::fetch;
use crate::secrets::SecretsConfig;
use crate::upload;

/// Where an engine keeps its state, where it finds plugins, and its limits.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data folder; everything that must survive is below it.
    pub data: PathBuf,
    /// Where plugins are looked for.
    pub search: SearchPath,
    /// The folder for plugin sockets; short, private, not cleaned by age.
    pub runtime: PathBuf,
    /// Jobs that an earlier host left wait until this one is asked for a job itself. For a host that lives as long as
    /// one command: listing repositories should not start yesterday's sync.
    pub wait_for_work: bool,
    /// How many jobs run at once.
    pub jobs: usize,
    /// Places of named queues that plugins enter; one that is not named here has one place.
    pub queues: BTreeMap<String, u64>,
    /// Bytes of a disk that stay free when plugins reserve space.
    pub keep_free: u64,
    /// Which program guards the plugins.
    pub guardian: Guardian,
    /// Limits of the downloader.
    pub fetch: fetch::Config,
    /// How receivers are told of jobs.
    pub callbacks: callbacks::Config,
    /// How long a plugin may take from its start to its handshake line.
    pub start_timeout: Duration,
    /// How long a stream of events may be silent before its plugin counts as unresponsive.
    pub stall_timeout: Duration,
    /// How often a plugin is asked for a sign of life.
    pub heartbeat: Duration,
    /// How long it may take to give one, before it is killed.
    pub heartbeat_timeout: Duration,
    /// How long a plugin has for each step of an orderly stop.
    pub grace: Duration,
    /// How long a plugin's process that no job uses is kept. `None`: for ever.
    pub idle: Option<Duration>,
    /// Where secrets are kept.
    pub secrets: SecretsConfig,
    /// What users may bring.
    pub uploads: upload::Limits,
    /// How often what nobody needs any more is taken away. `None`: only when asked.
    pub gc_every: Option<Duration>,
    /// How long a superseded publication is still served.
    pub publication_grace: Duration,
    /// This host lives as long as it is let: it runs schedules and forgets old jobs.
    pub resident: bool,
    /// How long a job that has ended is remembered, with its log. None: for ever.
    pub history: Option<Duration>,
    /// The time zone of schedules that name none.
    pub zone: TimeZone,
    /// What schedules go by.
    pub clock: Clock,
    /// Plugins by name that run already, under a debugger, and are attached to instead of started.
    pub attached: BTreeMap<String, Reattach>,
}

impl Config {
    /// The defaults for this data folder.
    pub fn new(data: PathBuf, search: SearchPath, runtime: PathBuf) -> Self {
        Self {
            data,
            search,
            runtime,
            wait_for_work: false,
            jobs: 4,
            queues: BTreeMap::new(),
            keep_free: 1 << 30,
            guardian: Guardian::default(),
            fetch: fetch::Config::default(),
            callbacks: callbacks::Config::default(),
            start_timeout: Duration::from_mins(1),
            stall_timeout: Duration::from_mins(5),
            heartbeat: Duration::from_secs(5),
            heartbeat_timeout: Duration::from_secs(20),
            grace: Duration::from_secs(2),
            idle: Some(Duration::from_mins(5)),
            secrets: SecretsConfig::default(),
            uploads: upload::Limits::default(),
            gc_every: None,
            publication_grace: Duration::from_hours(3 * 24),
            resident: false,
            history: Some(Duration::from_hours(90 * 24)),
            zone: TimeZone::UTC,
            clock: Clock::default(),
            attached: BTreeMap::new(),
        }
    }
}

//! The book of one plugin's processes.

use std::sync::Arc;
use std::time::Duration;

use semver::Version;
use tokio::time::Instant;
use wharf_proto::v1::DescribeResponse;

use super::backoff::Backoff;
use super::config::Config;
use super::recycle::{Wear, Worn, worn};
use crate::catalog::Installed;
use crate::connect::{Process, Taint};

/// What a plugin's processes are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is none: not asked for yet, or stopped because nobody used it.
    Stopped,
    /// The first one is being started.
    Starting,
    /// At least one answers.
    Running,
    /// It failed and is tried again after a pause.
    BackingOff,
    /// It failed many times in a row; leases are refused until the pause is over or an operator
    /// resets it.
    CrashLoop,
}

impl State {
    /// One word, as in the interface: `crash-loop`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::BackingOff => "backing-off",
            Self::CrashLoop => "crash-loop",
        }
    }
}

/// One plugin version, as seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginState {
    /// The plugin's name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// What its processes are doing.
    pub state: State,
    /// The process ids of those that live.
    pub pids: Vec<u32>,
    /// How many processes were started in place of one that failed.
    pub restarts: u32,
    /// What happened at the last failure, also when it works again.
    pub reason: Option<String>,
    /// How many failures there were in a row up to now; 0 when it works.
    pub failures: u32,
    /// How long it is left alone from now, when it is backing off or in a crash loop.
    pub retry_in: Option<Duration>,
    /// How many processes were stopped because nobody used them.
    pub idle_stops: u32,
    /// How many processes were stopped because they had done their share: [`Config::max_leases`]
    /// and the two limits beside it (F76).
    pub recycles: u32,
}

/// One process, and how many use it.
#[derive(Debug)]
struct Member {
    process: Process,
    description: Arc<DescribeResponse>,
    users: u32,
    /// Since when it has had no user.
    idle_since: Option<Instant>,
    /// Not to be lent again.
    retired: bool,
    since: Instant,
    leases: u32,
    /// It has done its share; not to be lent again either.
    worn: Option<Worn>,
}

impl Member {
    /// Looks whether it has done its share.
    fn age(&mut self, config: &Config, resident_bytes: Option<u64>) {
        let wear = Wear { leases: self.leases, age: self.since.elapsed(), resident_bytes };
        self.worn = self.worn.or_else(|| worn(config, wear));
    }
}

/// What to do with a process that nobody uses any more.
#[derive(Debug)]
pub(super) enum Discard {
    /// Down the ladder.
    Stop(Process),
    /// Down the ladder, for it has done its share.
    Recycle(Process, Worn),
    /// It broke the contract or does not answer: no words.
    Kill(Process),
}

#[derive(Debug)]
pub(super) struct Pool {
    plugin: Arc<Installed>,
    members: Vec<Member>,
    starting: u32,
    restarts: u32,
    /// Failures whose replacement has not started yet.
    lost: u32,
    idle_stops: u32,
    recycles: u32,
    pub(super) backoff: Backoff,
}

impl Pool {
    pub(super) fn new(plugin: Arc<Installed>) -> Self {
        let backoff = Backoff::default();
        Self {
            plugin,
            members: Vec::new(),
            starting: 0,
            restarts: 0,
            lost: 0,
            idle_stops: 0,
            recycles: 0,
            backoff,
        }
    }

    /// A process with a free place.
    pub(super) fn lend(&mut self, config: &Config) -> Option<(Process, Arc<DescribeResponse>)> {
        self.bury(config);
        let places = places(&self.plugin);
        let free = |member: &&mut Member| {
            let usable = !member.retired && member.worn.is_none();
            usable && member.users < places && member.process.taint() == Taint::None
        };
        let member = self.members.iter_mut().find(free)?;
        member.users += 1;
        member.leases = member.leases.saturating_add(1);
        member.idle_since = None;
        Some((member.process.clone(), Arc::clone(&member.description)))
    }

    pub(super) fn starting(&mut self) {
        self.starting += 1;
    }

    pub(super) fn is_starting(&self) -> bool {
        self.starting > 0
    }

    pub(super) fn start_over(&mut self) {
        self.starting = self.starting.saturating_sub(1);
    }

    /// A new process, lent to the one who started it.
    pub(super) fn add(&mut self, process: Process, description: Arc<DescribeResponse>) {
        if self.lost > 0 {
            self.lost -= 1;
            self.restarts += 1;
        }
        self.members.push(Member {
            process,
            description,
            users: 1,
            idle_since: None,
            retired: false,
            since: Instant::now(),
            leases: 1,
            worn: None,
        });
    }

    pub(super) fn failed(&mut self, config: &Config, reason: String) {
        self.lost = self.lost.saturating_add(1);
        self.backoff.failed(Instant::now(), config.backoff, config.max_backoff, reason);
    }

    /// Takes a process back from one of its users.
    pub(super) fn give_back(
        &mut self,
        config: &Config,
        given: &Process,
        discard: bool,
        resident_bytes: Option<u64>,
    ) -> Option<Discard> {
        let place = self.members.iter().position(|member| member.process.id() == given.id())?;
        let member = self.members.get_mut(place)?;
        member.users = member.users.saturating_sub(1);
        let taint = member.process.taint();
        member.retired |= discard || taint != Taint::None;
        if let Some(exit) = member.process.exited() {
            let crash = exit.is_crash().then(|| exit.to_string());
            self.members.remove(place);
            if let Some(reason) = crash {
                self.failed(config, reason);
            }
            return None;
        }
        let idle = member.users == 0;
        if !member.retired {
            member.age(config, resident_bytes);
            member.idle_since = idle.then(Instant::now);
            self.backoff.worked();
            if let Some(worn) = member.worn.filter(|_worn| idle) {
                return Some(self.recycle(place, worn));
            }
            let idlers = self.members.iter().filter(|member| member.users == 0).count();
            let surplus = idle && idlers > config.max_idle;
            return surplus.then(|| Discard::Stop(self.members.remove(place).process));
        }
        if !idle {
            return None;
        }
        let process = self.members.remove(place).process;
        if taint == Taint::Fault {
            self.failed(config, "a call broke the contract or was not answered".into());
            return Some(Discard::Kill(process));
        }
        Some(Discard::Stop(process))
    }

    /// Takes out what has grown too old since it was given back, and lends no more what is too old
    /// and still in use.
    pub(super) fn take_worn(&mut self, config: &Config) -> Vec<Discard> {
        self.bury(config);
        let mut taken = Vec::new();
        for place in (0..self.members.len()).rev() {
            let Some(member) = self.members.get_mut(place) else { continue };
            member.age(config, None);
            let over = member.worn.filter(|_worn| member.users == 0 && !member.retired);
            taken.extend(over.map(|worn| self.recycle(place, worn)));
        }
        taken
    }

    fn recycle(&mut self, place: usize, worn: Worn) -> Discard {
        self.recycles = self.recycles.saturating_add(1);
        Discard::Recycle(self.members.remove(place).process, worn)
    }

    /// Strikes out processes that ended while nobody used them.
    fn bury(&mut self, config: &Config) {
        let mut reasons = Vec::new();
        self.members.retain(|member| {
            let exit = if member.users == 0 { member.process.exited() } else { None };
            reasons.extend(exit.as_ref().filter(|exit| exit.is_crash()).map(ToString::to_string));
            exit.is_none()
        });
        for reason in reasons {
            self.failed(config, reason);
        }
    }

    /// Takes out the processes that nobody has used for `idle`.
    pub(super) fn take_idle(
        &mut self,
        config: &Config,
        idle: Duration,
        now: Instant,
    ) -> Vec<Process> {
        self.bury(config);
        let over = |member: &mut Member| {
            member.idle_since.is_some_and(|since| now.saturating_duration_since(since) >= idle)
        };
        let taken: Vec<Process> =
            self.members.extract_if(.., over).map(|member| member.process).collect();
        let count = u32::try_from(taken.len()).unwrap_or(u32::MAX);
        self.idle_stops = self.idle_stops.saturating_add(count);
        taken
    }

    /// Since when the process has been idle that has been so longest.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        self.members.iter().filter_map(|member| member.idle_since).min()
    }

    /// None of its processes is lent again; those without a user are handed over to be stopped.
    pub(super) fn retire_all(&mut self) -> Vec<Process> {
        self.members.iter_mut().for_each(|member| member.retired = true);
        let unused = |member: &mut Member| member.users == 0;
        self.members.extract_if(.., unused).map(|member| member.process).collect()
    }

    pub(super) fn take_all(&mut self) -> Vec<Process> {
        self.members.drain(..).map(|member| member.process).collect()
    }

    pub(super) fn name(&self) -> &str {
        &self.plugin.manifest.name
    }

    pub(super) fn state(&self, config: &Config) -> PluginState {
        let living = self.members.iter().filter(|member| member.process.exited().is_none());
        let pids: Vec<u32> = living.map(|member| member.process.pid()).collect();
        let pause = self.backoff.pause(Instant::now());
        let waiting = pause.is_some();
        let state = if !pids.is_empty() {
            State::Running
        } else if self.starting > 0 {
            State::Starting
        } else if waiting && self.backoff.failures() >= config.crash_loop {
            State::CrashLoop
        } else if waiting {
            State::BackingOff
        } else {
            State::Stopped
        };
        PluginState {
            name: self.plugin.manifest.name.clone(),
            version: self.plugin.manifest.version.clone(),
            state,
            pids,
            restarts: self.restarts,
            reason: self.backoff.reason().map(str::to_owned),
            failures: self.backoff.failures(),
            retry_in: pause.filter(|_| matches!(state, State::BackingOff | State::CrashLoop)),
            idle_stops: self.idle_stops,
            recycles: self.recycles,
        }
    }
}

/// How many jobs one process may have at a time: one, unless its components say that they can share
/// it.
fn places(plugin: &Installed) -> u32 {
    let components = &plugin.manifest.components;
    let shared =
        components.len() == 1 || components.iter().all(|component| component.shared_process);
    let places = components.iter().map(|component| component.concurrency.unwrap_or(1)).min();
    if shared { places.unwrap_or(1).max(1) } else { 1 }
}

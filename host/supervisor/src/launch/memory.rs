//! Tells a plugin that was killed because memory ran out from one that was killed by hand: both end
//! with `SIGKILL`, and the kernel says why only in a counter.
//!
//! The counter is that of the host's control group, in which its plugins are too; where there is
//! none, that of the whole machine. So the answer is "very likely", and the words say so. Sources:
//! `cgroups(7)`, `memory.events`; `proc_vmstat(5)`.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::process::Signal;

/// What both files call it.
const COUNTER: &str = "oom_kill ";

/// How often memory had run out before.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutOfMemory {
    before: Option<u64>,
}

impl OutOfMemory {
    /// From now on.
    pub(super) fn watch() -> Self {
        Self { before: kills() }
    }

    /// Whether this end is one for lack of memory.
    pub(super) fn killed(self, status: ExitStatus) -> bool {
        let rose = || self.before.zip(kills()).is_some_and(|(before, now)| before < now);
        status.signal() == Some(Signal::KILL.as_raw()) && rose()
    }
}

fn kills() -> Option<u64> {
    let group = fs::read_to_string("/proc/self/cgroup").ok();
    let group = group.as_deref().and_then(unified).map(|group| {
        fs::read_to_string(format!("/sys/fs/cgroup{}/memory.events", group.trim_end_matches('/')))
    });
    let text = match group {
        Some(Ok(events)) => events,
        _ => fs::read_to_string("/proc/vmstat").ok()?,
    };
    count(&text)
}

/// The path of a control group of the second version: `0::PATH`.
fn unified(groups: &str) -> Option<&str> {
    groups.lines().find_map(|line| line.strip_prefix("0::"))
}

fn count(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(COUNTER)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    // F49
    #[test]
    fn only_a_kill_while_the_counter_rose_is_for_lack_of_memory() {
        let (killed, aborted) = (ExitStatus::from_raw(9), ExitStatus::from_raw(6));
        assert!(!OutOfMemory { before: Some(u64::MAX) }.killed(killed));
        assert!(!OutOfMemory { before: None }.killed(killed));
        // No kernel of today is without a counter, but it may have counted nothing yet.
        if let Some(now) = kills().filter(|&now| now > 0) {
            let earlier = OutOfMemory { before: Some(now - 1) };
            assert!(earlier.killed(killed) && !earlier.killed(aborted));
        }
    }

    #[test]
    fn the_counter_is_found_in_both_files() {
        assert_eq!(count("low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\noom_group_kill 0\n"), Some(1));
        assert_eq!(count("pgfault 7\noom_kill 12\n"), Some(12));
        assert_eq!(count("oom_killer 12\n"), None);
        assert_eq!(unified("1:cpu:/a\n0::/b\n"), Some("/b"));
    }
}

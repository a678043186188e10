//! Which processes belong to a test: those that carry its mark in their environment or command line.
//!
//! The mark is the unique name of the test's folder. A plugin has it through its manifest's `env`, and hands it on to
//! whatever it leaves behind, however often that forks (F54).

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::wait;

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its parent.
    pub parent: u32,
    /// R, S, T, Z, ...
    pub state: char,
    /// What it was started with, blanks between.
    pub command: String,
}

/// All processes that carry `mark`. Zombies carry nothing and are not seen.
pub fn marked(mark: &str) -> Vec<Process> {
    all().into_iter().filter(|process| carries(process.pid, mark)).collect()
}

/// All descendants of a process, itself not included.
pub fn descendants(root: u32) -> Vec<Process> {
    let all = all();
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for process in all.iter().filter(|process| process.parent == parent) {
            parents.push(process.pid);
            found.push(process.clone());
        }
    }
    found
}

/// Waits until no process carries `mark`.
///
/// # Panics
/// When some still do after `deadline`; they are ended, so that they do not trouble other tests.
pub fn wait_none(mark: &str, deadline: Duration) {
    let started = std::time::Instant::now();
    loop {
        let left = marked(mark);
        if left.is_empty() {
            return;
        }
        if started.elapsed() > deadline {
            for process in &left {
                kill(process.pid, Signal::KILL);
            }
            panic!("left behind after {deadline:?}: {left:#?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until a process is gone, or is a zombie that only its parent can see.
///
/// # Panics
/// After `deadline`.
pub fn wait_gone(pid: u32, deadline: Duration) {
    wait_state(pid, "ends", "ZX", deadline);
}

/// SIGSTOP to a process: once this returns it does nothing more, or is gone.
///
/// # Panics
/// After `deadline`.
pub fn stop(pid: u32, deadline: Duration) {
    kill(pid, Signal::STOP);
    wait_state(pid, "stops", "TZX", deadline);
}

/// Waits until a process is gone or in one of these states.
fn wait_state(pid: u32, does: &str, states: &str, deadline: Duration) {
    wait::until(&format!("process {pid} {does}"), deadline, || {
        let state = stat(pid).map(|(_parent, state)| state);
        state.is_none_or(|state| states.contains(state)).then_some(())
    });
}

/// Signals a process; one that is gone already is no error.
pub fn kill(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process number");
    if let Err(error) = kill_process(pid, signal) {
        assert_eq!(error, rustix::io::Errno::SRCH, "cannot signal {pid:?}");
    }
}

fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("/proc is there");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| {
        let (parent, state) = stat(pid)?;
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        Some(Process { pid, parent, state, command })
    })
    .collect()
}

fn stat(pid: u32) -> Option<(u32, char)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_name, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state))
}

fn carries(pid: u32, mark: &str) -> bool {
    ["environ", "cmdline"].iter().any(|name| {
        let bytes = fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        bytes.windows(mark.len()).any(|window| window == mark.as_bytes())
    })
}

/// Whether a process listens on this port of an IPv4 address.
///
/// # Panics
/// Without a readable /proc.
pub fn listens(pid: u32, port: u16) -> bool {
    const LISTEN: &str = "0A";
    let table = fs::read_to_string("/proc/net/tcp").expect("/proc is there");
    let place = format!(":{port:04X}");
    let sockets: Vec<String> = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|line| line.get(1).is_some_and(|local| local.ends_with(&place)))
        .filter(|line| line.get(3) == Some(&LISTEN))
        .filter_map(|line| Some(format!("socket:[{}]", line.get(9)?)))
        .collect();
    let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    let mut links = open.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    links.any(|link| sockets.iter().any(|socket| link.as_os_str() == socket.as_str()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_is_found_by_its_mark_and_by_its_parent() {
        let mark = format!("mark-{}-of-the-scan", std::process::id());
        let mut child = Command::new("sleep").arg("60").env("MARK", &mark).spawn().expect("sleep");
        let found = wait::until("it is seen", wait::PATIENCE, || marked(&mark).pop());
        assert_eq!(found.pid, child.id());
        let below: Vec<u32> = descendants(std::process::id()).iter().map(|each| each.pid).collect();
        assert!(below.contains(&child.id()));
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        wait_none(&mark, wait::PATIENCE);
    }
}

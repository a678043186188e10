//! A look at the processes of this machine, by the mark that a test's processes carry in their environment.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::sync_channel;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The variable that carries the mark.
pub const MARK: &str = "INTEROP_MARK";

/// How long a program may take that runs to its end.
const PATIENCE: Duration = Duration::from_mins(1);

/// The numbers of all processes that carry `mark`, this one excepted. Zombies carry nothing.
pub fn marked(mark: &str) -> Vec<u32> {
    let wanted = format!("{MARK}={mark}");
    let own = std::process::id();
    let entries = fs::read_dir("/proc").expect("proc is mounted").flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let carries = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    numbers.filter(|pid| *pid != own).filter(carries).collect()
}

/// What a process is called, for messages.
pub fn command(pid: u32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

/// Runs a program to its end, and gives what it printed.
///
/// # Panics
/// When it does not start, or takes longer than a minute; it is killed then.
pub fn output(command: &mut Command) -> Output {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the program starts");
    let pid = child.id();
    let (ended, end) = sync_channel(1);
    // Nobody waits for an end that comes too late.
    std::thread::spawn(move || ended.send(child.wait_with_output()).ok());
    end.recv_timeout(PATIENCE)
        .unwrap_or_else(|_late| {
            signal(pid, Signal::KILL);
            panic!("no end within {PATIENCE:?}: {command:?}")
        })
        .expect("its output can be read")
}

/// Sends a signal to a process that a test started. It may be gone.
pub fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process number");
    // Gone already: just as good.
    kill_process(pid, signal).ok();
}

/// Stops a process. Its threads stop one after the other: once this returns, none of them does anything more.
///
/// # Panics
/// When that takes longer than a minute.
pub fn stop(pid: u32) {
    signal(pid, Signal::STOP);
    let is_still = |thread: fs::DirEntry| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // Behind the name, which may hold anything. Source: proc_pid_stat(5).
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['T', 'Z', 'X']))
    };
    wait_until("all threads stand still", PATIENCE, || {
        let mut threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        threads.all(is_still)
    });
}

/// Waits until a look finds what it looks for.
///
/// # Panics
/// When that takes too long.
pub fn wait_until(what: &str, deadline: Duration, mut look: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !look() {
        assert!(begun.elapsed() < deadline, "not after {deadline:?}: {what}");
        sleep(Duration::from_millis(5));
    }
}

/// Waits until no process carries `mark`, and ends those that do when it took too long.
///
/// # Panics
/// When there were any left.
pub fn wait_none(mark: &str, deadline: Duration) {
    let begun = Instant::now();
    loop {
        let left = marked(mark);
        if left.is_empty() {
            return;
        }
        if begun.elapsed() > deadline {
            let names: Vec<String> =
                left.iter().map(|pid| format!("{pid} {}", command(*pid))).collect();
            for pid in left {
                signal(pid, Signal::KILL);
            }
            panic!("left behind after {deadline:?}: {names:#?}");
        }
        sleep(Duration::from_millis(5));
    }
}

/// How many descriptors this process has open.
pub fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").expect("proc is mounted").count()
}

/// How many threads this process has.
pub fn threads() -> usize {
    fs::read_dir("/proc/self/task").expect("proc is mounted").count()
}

/// The resident memory of this process, in KiB.
pub fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("proc is mounted");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has memory");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

/// All sockets below a folder.
pub fn sockets(folder: &Path) -> Vec<String> {
    use std::os::unix::fs::FileTypeExt as _;
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            found.extend(sockets(&entry.path()));
        } else if kind.is_socket() {
            found.push(entry.path().to_string_lossy().into_owned());
        }
    }
    found
}

//! Finds every descendant of a process and kills it, without ever signalling a stranger.
//!
//! Process numbers are reused, so each one is first pinned by a pidfd, and signalled only if the
//! process behind the number still has a parent inside the tree.

use std::collections::HashMap;
use std::fs;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Sends `SIGKILL` to all descendants of `root` that exist now. Those born meanwhile are for the
/// next round.
pub(super) fn kill_all(root: Pid) {
    let children = children_by_parent();
    let root = root.as_raw_nonzero().get();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for &child in children.get(&parent).map_or(&[][..], Vec::as_slice) {
            parents.push(child);
            kill(child, parent, root);
        }
    }
}

/// Processes that are gone, or that cannot be signalled because they gained rights, are left out.
fn kill(number: i32, parent: i32, root: i32) {
    let Some(pid) = Pid::from_raw(number) else { return };
    let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    let ours = parent_of(number).is_some_and(|now| now == parent || now == root);
    if ours {
        pidfd_send_signal(&handle, Signal::KILL).ok();
    }
}

fn children_by_parent() -> HashMap<i32, Vec<i32>> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    let Ok(entries) = fs::read_dir("/proc") else { return children };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    for number in numbers {
        if let Some(parent) = parent_of(number) {
            children.entry(parent).or_default().push(number);
        }
    }
    children
}

fn parent_of(number: i32) -> Option<i32> {
    parse_parent(&fs::read(format!("/proc/{number}/stat")).ok()?)
}

/// The fourth field. The second is the program's name in parentheses and may contain anything, so
/// it is looked for from the end. Source: `proc_pid_stat(5)`.
fn parse_parent(stat: &[u8]) -> Option<i32> {
    let end = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = str::from_utf8(stat.get(end + 1..)?).ok()?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_behind_any_name() {
        assert_eq!(parse_parent(b"12 (sh) S 7 12 12 0"), Some(7));
        assert_eq!(parse_parent(b"12 (a) b) S 9 (\n) R 8 1"), Some(8));
        assert_eq!(parse_parent(b"12 (\xff\n) Z 1 12"), Some(1));
        assert_eq!(parse_parent(b""), None);
    }

    #[test]
    fn this_process_has_a_parent() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert_eq!(
            parent_of(own),
            rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get())
        );
    }
}

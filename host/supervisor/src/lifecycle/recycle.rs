//! When a process has done its share (F76): what leaks in it never becomes much.
//!
//! It is stopped when it is given back, and the next lease starts a new one; no job sees anything of
//! it. Processes that are in use are never touched.

use std::fmt;
use std::fs;
use std::time::Duration;

use super::config::Config;

/// What one process has done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wear {
    pub(super) leases: u32,
    pub(super) age: Duration,
    /// `None`: unknown, or nobody wants to know.
    pub(super) resident_bytes: Option<u64>,
}

/// Why a process is not lent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worn {
    Leases(u32),
    Age(Duration),
    Memory { resident: u64, limit: u64 },
}

impl fmt::Display for Worn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leases(count) => write!(f, "it was lent {count} times"),
            Self::Age(age) => write!(f, "it ran for {age:.0?}"),
            Self::Memory { resident, limit } => {
                write!(f, "it holds {resident} bytes of memory, more than {limit}")
            }
        }
    }
}

/// Whether that is enough.
pub(super) fn worn(config: &Config, wear: Wear) -> Option<Worn> {
    let Wear { leases, age, resident_bytes } = wear;
    let leases = config.max_leases.filter(|&most| leases >= most).map(|_most| Worn::Leases(leases));
    let age = config.max_age.filter(|&most| age >= most).map(|_most| Worn::Age(age));
    let memory = config.max_resident_bytes.zip(resident_bytes);
    let memory = memory
        .filter(|(limit, resident)| resident > limit)
        .map(|(limit, resident)| Worn::Memory { resident, limit });
    memory.or(leases).or(age)
}

/// The memory that a process holds now, without that of its children.
pub(super) fn resident_bytes(pid: u32) -> Option<u64> {
    parse(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

/// Source: proc(5), `VmRSS`.
fn parse(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    // F76
    #[test]
    fn each_limit_counts_alone_and_none_is_no_limit() {
        let mut config = Config::new("/run");
        (config.max_leases, config.max_age, config.max_resident_bytes) =
            (Some(3), Some(Duration::from_secs(10)), Some(1000));
        let fresh = Wear { leases: 2, age: Duration::from_secs(9), resident_bytes: Some(1000) };
        assert_eq!(worn(&config, fresh), None);
        assert_eq!(worn(&config, Wear { resident_bytes: None, ..fresh }), None);
        let (leases, age) = (3, Duration::from_secs(10));
        assert_eq!(worn(&config, Wear { leases, ..fresh }), Some(Worn::Leases(3)));
        assert_eq!(worn(&config, Wear { age, ..fresh }), Some(Worn::Age(age)));
        let fat = Wear { resident_bytes: Some(1001), ..fresh };
        let memory = Worn::Memory { resident: 1001, limit: 1000 };
        assert_eq!(worn(&config, fat), Some(memory));
        assert_eq!(memory.to_string(), "it holds 1001 bytes of memory, more than 1000");
        (config.max_leases, config.max_age, config.max_resident_bytes) = (None, None, None);
        let most = Wear { leases: u32::MAX, age: Duration::MAX, resident_bytes: Some(u64::MAX) };
        assert_eq!(worn(&config, most), None);
    }

    // F76
    #[test]
    fn the_memory_of_a_process_is_read() {
        assert_eq!(parse("Name:\ta\nVmRSS:\t    1024 kB\nRssAnon:\t 7 kB\n"), Some(1 << 20));
        for odd in ["", "VmRSS: x kB", "VmRSS: 5", "VmRSS: 99999999999999999999 kB"] {
            assert_eq!(parse(odd), None, "{odd}");
        }
        assert!(resident_bytes(std::process::id()).is_some_and(|bytes| bytes > 4096));
        assert_eq!(resident_bytes(0), None);
    }
}

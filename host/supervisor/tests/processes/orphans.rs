//! What a killed host leaves behind: no process and no file, within two seconds.
//!
//! Twenty plugins a round, half of them with daemons in sessions of their own. Everything that was
//! ever started carries the name of the test's folder in its environment, and by that it is found.
//! 25 rounds, or as many as `WHARF_ROUNDS` says; once as who runs the tests, and where that is root
//! as an ordinary user too.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Home, LONG, examples, marked, plugin, until};
use crate::tree::FAMILY;

const PLUGINS: usize = 20;
const FORKING: usize = 10;
/// Each plugin has a guardian; a family has more.
const PROCESSES: usize = 2 * (PLUGINS - FORKING) + FAMILY * FORKING;
/// `nobody` on every Linux.
const NOBODY: u32 = 65_534;
const GONE_WITHIN: Duration = Duration::from_secs(2);

pub(crate) fn rounds() -> u32 {
    let asked = std::env::var_os("WHARF_ROUNDS");
    asked.and_then(|text| text.to_str()?.parse().ok()).unwrap_or(25)
}

/// A host under test. Does not outlive a test that fails.
struct Host(Child);

impl Host {
    #[expect(clippy::disallowed_methods, reason = "the host itself is under test")]
    fn start(programs: &Path, runtime: &Path, user: Option<u32>) -> Self {
        let mut command = Command::new(programs.join("supervising-host"));
        command
            .arg(runtime)
            .arg(programs.join("supervised-plugin"))
            .args([PLUGINS.to_string(), FORKING.to_string()])
            .current_dir("/")
            .stdout(Stdio::piped());
        if let Some(user) = user {
            command.uid(user).gid(user);
        }
        let mut host = command.spawn().unwrap();
        let mut line = String::new();
        let stdout = host.stdout.take().unwrap();
        let host = Self(host);
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert_eq!(line.split_whitespace().count(), PLUGINS);
        host
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

async fn go_round(home: &Home, programs: &Path, user: Option<u32>) {
    let runtime = home.runtime();
    fs::DirBuilder::new().mode(0o700).create(&runtime).unwrap();
    chown(&runtime, user, user).unwrap();
    let mut slowest = Duration::ZERO;
    for round in 0..rounds() {
        let mut host = Host::start(programs, &runtime, user);
        // Shells on the way there come and go.
        until(LONG, || {
            let count = marked(&runtime).len();
            (count >= PROCESSES).then_some(()).ok_or(format!("{count} processes"))
        })
        .await;
        host.0.kill().unwrap();
        let killed = Instant::now();
        until(GONE_WITHIN, || {
            let (left, folders) = (marked(&runtime), fs::read_dir(&runtime).unwrap().count());
            let clean = left.is_empty() && folders == 0;
            clean.then_some(()).ok_or(format!("{left:?} and {folders} folders in round {round}"))
        })
        .await;
        slowest = slowest.max(killed.elapsed());
    }
    let text = format!("{} rounds, the slowest was clean after {slowest:.1?}\n", rounds());
    std::io::stdout().write_all(text.as_bytes()).unwrap();
}

// F54, F156, F160, H111
#[tokio::test]
async fn a_killed_host_leaves_no_process_behind() {
    let home = Home::new();
    go_round(&home, &examples(), None).await;
}

// F54, F156, F160, H111
#[tokio::test]
async fn a_killed_host_of_an_ordinary_user_leaves_no_process_behind() {
    // Anybody else than root runs the test above as an ordinary user.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let home = Home::new();
    home.let_others_in();
    // The folder that they were built in need not be open to everybody.
    let programs = home.path().join("bin");
    fs::create_dir(&programs).unwrap();
    for program in [plugin(), examples().join("supervising-host")] {
        let copy: PathBuf = programs.join(program.file_name().unwrap());
        fs::copy(&program, copy).unwrap();
    }
    go_round(&home, &programs, Some(NOBODY)).await;
}

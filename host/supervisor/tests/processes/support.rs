//! What the tests share. Every test has a runtime folder of its own, whose path also marks its
//! processes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};
use wharf_proto::v1::{Attachment, SyncRequest};
use wharf_supervisor::{Bounds, CallError, Error, Guardian, Launch, Process, calls};

/// Long for a machine that is busy with other tests; reached only by failures.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) fn guardian() -> Guardian {
    Guardian::Program(env!("CARGO_BIN_EXE_wharf-launch").into())
}

/// The folder with the examples.
pub(crate) fn examples() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_wharf-launch")).with_file_name("examples")
}

pub(crate) fn plugin() -> PathBuf {
    examples().join("supervised-plugin")
}

/// A test's own folder.
pub(crate) struct Home {
    folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::Builder::new().prefix("w").tempdir_in("/tmp").unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn runtime(&self) -> PathBuf {
        self.path().join("run")
    }

    /// A shell script with this body.
    pub(crate) fn script(&self, body: &str) -> PathBuf {
        self.file("script", format!("#!/bin/sh\n{body}\n"))
    }

    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    pub(crate) fn launch(&self, program: impl Into<PathBuf>) -> Launch {
        Launch::new(program)
            .name("example")
            .guardian(guardian())
            .runtime_dir(self.runtime())
            .start_timeout(LONG)
    }

    pub(crate) async fn start(&self, args: &[&str]) -> Process {
        self.launch(plugin()).args(args.iter().copied()).start().await.unwrap()
    }

    /// The error of a script that is no plugin; nothing of it is left.
    pub(crate) async fn fail(&self, body: &str) -> Error {
        self.fail_with(self.launch(self.script(body))).await
    }

    pub(crate) async fn fail_with(&self, launch: Launch) -> Error {
        let error = launch.start().await.unwrap_err();
        self.nothing_is_left().await;
        error
    }

    /// Lets other users through to what lies in here.
    pub(crate) fn let_others_in(&self) {
        fs::set_permissions(self.path(), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// No process that ever saw this home's runtime folder, and nothing in that folder.
    pub(crate) async fn nothing_is_left(&self) {
        self.nothing_is_left_within(LONG).await;
    }

    pub(crate) async fn nothing_is_left_within(&self, patience: Duration) {
        let runtime = self.runtime();
        until(patience, || {
            let files = fs::read_dir(&runtime).map_or(0, Iterator::count);
            let processes = marked(&runtime);
            (processes.is_empty() && files == 0)
                .then_some(())
                .ok_or(format!("{files} {processes:?}"))
        })
        .await;
    }
}

/// One call of `Importer.Sync` to its end.
pub(crate) async fn sync(process: &Process, how: &str, stall: Duration) -> Result<(), CallError> {
    let attachment = Attachment { repository: how.into(), ..Attachment::default() };
    let request = SyncRequest { attachment: Some(attachment), ..SyncRequest::default() };
    let mut events = calls::sync(process, request, &Bounds::new(stall)).await?;
    while events.next().await?.is_some() {}
    Ok(())
}

/// Living processes whose environment names a path below `folder`.
pub(crate) fn marked(folder: &Path) -> Vec<u32> {
    let mark = folder.as_os_str().as_encoded_bytes();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let marked = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.windows(mark.len()).any(|window| window == mark) && is_alive(*pid)
    };
    pids.filter(marked).collect()
}

/// A zombie is dead; who reaps it is its parent's affair.
pub(crate) fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().and_then(|rest| rest.trim().chars().next()).is_some_and(|s| s != 'Z')
}

/// Stops a process. Its threads stop one after the other: once this is done, none of them does anything more.
pub(crate) async fn stand_still(pid: u32) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::STOP).unwrap();
    let still = |thread: fs::DirEntry| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // Behind the name, which may hold anything. Source: proc_pid_stat(5).
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['T', 'Z', 'X']))
    };
    until(LONG, || {
        let mut threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        threads.all(still).then_some(()).ok_or_else(|| format!("{pid} runs"))
    })
    .await;
}

/// Looks again and again until `ready`, for what nobody announces.
pub(crate) async fn until<T>(
    patience: Duration,
    mut ready: impl FnMut() -> Result<T, String>,
) -> T {
    let end = Instant::now() + patience;
    loop {
        match ready() {
            Ok(value) => return value,
            Err(state) => assert!(Instant::now() < end, "still {state}"),
        }
        sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) async fn within<T>(what: impl Future<Output = T>) -> T {
    timeout(LONG, what).await.expect("it took too long")
}

pub(crate) fn says(error: &Error, code: &str, words: &[&str]) {
    let text = error.to_string();
    assert_eq!(error.code(), code, "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
}

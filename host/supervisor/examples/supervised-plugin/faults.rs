//! What a call can do to its own process: end it in some way, use up what it was given, write what
//! it was told.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, abort};
use std::thread;

use rustix::process::{Signal, getpid, kill_process};

/// Larger than any limit of a test, smaller than any address space.
const LARGE: u64 = 1 << 40;

/// Does what `how` says, if it is known; `folder` is the process' own.
pub(crate) fn commit(how: &str, folder: &Path) -> io::Result<()> {
    match how {
        "killed" => kill_process(getpid(), Signal::KILL)?,
        "panic" => panic_in_a_thread(),
        "abort" => abort(),
        // The runtime's own handler takes the first one and steps aside for the second.
        "segfault" => (0..2).try_for_each(|_| kill_process(getpid(), Signal::SEGV))?,
        "busy" => drop(thread::spawn(|| {
            loop {
                std::hint::spin_loop();
            }
        })),
        "files" => give_up(&open_files()),
        "memory" => allocate(),
        "large-file" => File::create(folder.join("large"))?.set_len(LARGE)?,
        "vanish" => {
            rustix::stdio::dup2_stderr(File::open("/dev/null")?)?;
            fs::remove_dir_all(folder)?;
        }
        _ => {
            if let Some(path) = how.strip_prefix("write:") {
                io::copy(&mut File::open(path)?, &mut io::stderr())?;
            }
        }
    }
    Ok(())
}

/// As a plugin that is built to abort on panics.
#[expect(clippy::panic, reason = "this is what is asked for")]
fn panic_in_a_thread() {
    thread::spawn(|| panic!("boom in a call")).join().ok();
    abort();
}

fn open_files() -> io::Error {
    let mut open = Vec::new();
    loop {
        match File::open("/dev/null") {
            Ok(file) => open.push(file),
            Err(error) => return error,
        }
    }
}

fn give_up(error: &io::Error) {
    writeln!(io::stderr(), "giving up: {error}").ok();
    abort();
}

/// Never touches what it gets, so that only an address space can run out.
fn allocate() {
    let mut all: Vec<Vec<u8>> = Vec::new();
    loop {
        all.push(vec![0; 64 << 20]);
    }
}

/// One child, and one that hides: a daemon in a session of its own. Both hold this process' pipes.
#[expect(clippy::disallowed_methods, reason = "a plugin is no host")]
pub(crate) fn leave_children_behind() -> io::Result<()> {
    let script = "sleep 600 & (setsid sh -c 'setsid sleep 600 & sleep 600' &) & wait $!";
    Command::new("sh").args(["-c", script]).spawn().map(drop)
}

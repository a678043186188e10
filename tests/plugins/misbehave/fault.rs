//! What goes wrong inside a call, by name. The names are the values of the setting `fault`.

use std::io::{Read as _, Write as _};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process, setsid};

use crate::serve::{House, eprintln_line};

/// Does what `fault` says, in the middle of a call. Returns if the call is to go on.
pub(crate) fn strike(house: &House, fault: &str, attempt: u32) {
    match fault {
        "crash" => {
            eprintln_line("these are my last words");
            signal(Signal::KILL);
        }
        "crash-once" if attempt <= 1 => signal(Signal::KILL),
        "exit" => std::process::exit(0),
        "hang" => signal(Signal::STOP),
        "cut" => cut(house),
        "stderr-flood" => flood_stderr(),
        "stdout-flood" => flood_stdout(),
        "daemon" => leave_behind(),
        "daemon-crash" => {
            leave_behind();
            signal(Signal::KILL);
        }
        "stubborn" => house.stubborn.store(true, Ordering::SeqCst),
        _ => {}
    }
}

/// Sends itself a signal that no process survives, or acts through. Another thread may be the one that takes it, so
/// this one waits for its effect.
fn signal(signal: Signal) {
    kill_process(getpid(), signal).expect("a process may signal itself");
    std::thread::sleep(Duration::from_mins(1));
}

/// F38: the connection ends, the process lives.
fn cut(house: &House) {
    let sockets = house.sockets.lock().expect("no holder panics");
    for socket in sockets.iter() {
        // A connection that is gone already is as cut as can be.
        rustix::net::shutdown(socket, rustix::net::Shutdown::Both).unwrap_or_default();
    }
}

/// F61: megabytes, terminal escapes, bytes that are no text, and a line without end.
fn flood_stderr() {
    let mut stderr = std::io::stderr().lock();
    for number in 0..20_000 {
        let line = format!("\x1b[31mline {number}\x1b[0m \x1b]0;owned\x07 \u{202e}txt\n");
        stderr.write_all(line.as_bytes()).expect("the host always drains");
        stderr.write_all(b"\xff\xfe not text \x9b2J\n").expect("the host always drains");
    }
    let endless = vec![b'e'; 2 << 20];
    stderr.write_all(&endless).expect("the host always drains");
    stderr.write_all(b"\nlast words\n").expect("the host always drains");
}

/// F62: a stray print, one megabyte in one line, and many lines.
fn flood_stdout() {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(b"a stray print\n").expect("the host always drains");
    stdout.write_all(&vec![b'o'; 1 << 20]).expect("the host always drains");
    for number in 0..20_000 {
        writeln!(stdout, "\nline {number}").expect("the host always drains");
    }
    stdout.flush().expect("the host always drains");
}

/// F63: how many bytes standard input holds.
pub(crate) fn read_stdin() -> usize {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).unwrap_or_default()
}

/// F54: a daemon in a session of its own, whose parent is gone.
fn leave_behind() {
    let own = std::env::current_exe().expect("/proc is there");
    let status = Command::new(own)
        .arg("daemonise")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "the daemon did not start");
}

/// The process between: a new session, a child, and away.
pub(crate) fn daemonise() -> ExitCode {
    let own = std::env::current_exe().expect("/proc is there");
    let moved = setsid().is_ok();
    let started = Command::new(own).arg("linger").spawn().is_ok();
    if moved && started { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The daemon.
pub(crate) fn linger() -> ExitCode {
    let moved = setsid().is_ok();
    std::thread::sleep(Duration::from_mins(10));
    if moved { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

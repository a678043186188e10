//! Following a running program: its lines into the job's log, its progress to the user, its end.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;
use tokio::process::{ChildStderr, ChildStdout};
use tokio::time::{Instant, sleep_until};

use super::group::Group;
use super::lines::Lines;
use super::{Command, Options, Output, failure};
use crate::{Context, Error, Progress};

/// Lines that are kept for the error.
const LAST_LINES: usize = 20;
/// A silent program is told about so often, because a call that says nothing for long counts as hung.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// Time for the rest of the pipes once the program has ended.
const DRAIN: Duration = Duration::from_secs(2);

pub(super) struct Follower<'a> {
    context: &'a Context,
    command: &'a Command,
    options: &'a Options,
    group: &'a mut Group,
    out: Option<Lines<ChildStdout>>,
    err: Option<Lines<ChildStderr>>,
    captured: Vec<u8>,
    last: VecDeque<String>,
    shown: Progress,
}

/// What happened next.
enum Next {
    Read(io::Result<()>),
    Ended(io::Result<ExitStatus>),
    Silence,
    Drained,
}

impl<'a> Follower<'a> {
    pub(super) fn new(
        context: &'a Context,
        command: &'a Command,
        options: &'a Options,
        group: &'a mut Group,
    ) -> Self {
        let (out, err) = group.pipes();
        Self {
            context,
            command,
            options,
            group,
            out: out.map(Lines::new),
            err: err.map(Lines::new),
            captured: Vec::new(),
            last: VecDeque::new(),
            shown: Progress::default().phase(&options.phase).activity(&command.name()),
        }
    }

    /// Until the program has ended and its pipes are empty.
    pub(super) async fn follow(&mut self) -> Result<ExitStatus, Error> {
        self.context.progress(self.shown.clone()).await;
        let mut ended = None;
        let mut alarm = Instant::now() + SIGN_OF_LIFE;
        loop {
            match self.next(ended.is_some(), alarm).await {
                Next::Read(read) => {
                    read.map_err(|error| failure::not_followed(self.command, &error))?;
                    self.take_over().await?;
                }
                Next::Ended(status) => {
                    ended = Some(status.map_err(|e| failure::not_followed(self.command, &e))?);
                    // What it left behind would hold the pipes open.
                    self.group.signal(Signal::KILL);
                    alarm = Instant::now() + DRAIN;
                    continue;
                }
                Next::Silence => self.context.progress(self.shown.clone()).await,
                Next::Drained => (self.out, self.err) = (None, None),
            }
            match ended {
                Some(status) if !self.is_open() => return Ok(status),
                Some(_) => {}
                None => alarm = Instant::now() + SIGN_OF_LIFE,
            }
        }
    }

    async fn next(&mut self, ended: bool, alarm: Instant) -> Next {
        let (out, err) = (self.out.as_mut(), self.err.as_mut());
        let out = out.filter(|lines| lines.is_open());
        let err = err.filter(|lines| lines.is_open());
        if ended && out.is_none() && err.is_none() {
            return Next::Drained;
        }
        tokio::select! {
            read = fill(out) => Next::Read(read),
            read = fill(err) => Next::Read(read),
            status = self.group.wait(), if !ended => Next::Ended(status),
            () = sleep_until(alarm) => if ended { Next::Drained } else { Next::Silence },
        }
    }

    fn is_open(&self) -> bool {
        self.out.as_ref().is_some_and(Lines::is_open)
            || self.err.as_ref().is_some_and(Lines::is_open)
    }

    /// Takes what was read: captured, shown as progress, or logged.
    async fn take_over(&mut self) -> Result<(), Error> {
        if let (Some(max), Some(out)) = (self.options.capture, self.out.as_mut()) {
            self.captured.append(&mut out.take());
            if self.captured.len() > max {
                return Err(failure::too_much(self.command, max));
            }
        }
        while let Some(line) = self.out.as_mut().and_then(Lines::pop) {
            self.line(line).await;
        }
        while let Some(line) = self.err.as_mut().and_then(Lines::pop) {
            self.line(line).await;
        }
        Ok(())
    }

    async fn line(&mut self, line: String) {
        let read = self.options.progress.as_ref().and_then(|read| read(&line));
        if let Some(progress) = read {
            self.shown = progress.phase(&self.options.phase).activity(&self.command.name());
            return self.context.progress(self.shown.clone()).await;
        }
        let fields = HashMap::from([("tool".to_owned(), self.command.name())]);
        self.context.log_with(self.options.level, line.as_str(), fields).await;
        if self.last.len() == LAST_LINES {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    pub(super) fn too_long(&self) -> Error {
        failure::too_long(self.command, self.options.limit, &self.last)
    }

    pub(super) fn output(&mut self, status: ExitStatus) -> Result<Output, Error> {
        if !status.success() {
            return Err(failure::failed(self.command, status, &self.last));
        }
        let stdout = std::mem::take(&mut self.captured);
        Ok(Output { stdout, last_lines: self.last.drain(..).collect() })
    }
}

/// Reads a pipe that is open; any other is never ready.
async fn fill<R: tokio::io::AsyncRead + Unpin>(lines: Option<&mut Lines<R>>) -> io::Result<()> {
    match lines {
        Some(lines) => lines.fill().await,
        None => std::future::pending().await,
    }
}

//! A running job on one line of the terminal, and the bar that shows it.
//!
//! The line is made here for the width at hand, so that nothing wraps; indicatif only repaints it
//! in place and hides itself when standard error is no terminal.

use std::sync::Once;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::image;
use super::text::{approximate, count, cut, one_line, per_second, size, whole};
use crate::api::{Job, JobState, Progress};
use crate::terminal::Terminal;

/// The bar's narrowest and widest form, brackets included.
const BAR: (usize, usize) = (12, 32);

/// The unit of what is a hundredth of the whole.
const PERCENT: &str = "%";

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// One job's line on the terminal; nothing at all when there is no terminal.
#[derive(Debug)]
pub(crate) struct Bar {
    line: ProgressBar,
    ticking: Once,
    width: usize,
}

impl Bar {
    /// Shown on a terminal as soon as there is something to say, unless `quiet`.
    pub(crate) fn new(terminal: &Terminal, quiet: bool) -> Self {
        let width = terminal.progress.filter(|_| !quiet);
        let target = match width {
            Some(_) => ProgressDrawTarget::stderr_with_hz(10),
            None => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style.tick_chars("|/-\\ "));
        }
        // The spinner and its blank take two columns, and the last one stays free.
        Self { line: bar, ticking: Once::new(), width: width.unwrap_or(80).saturating_sub(3) }
    }

    /// Shows how far this job is.
    pub(crate) fn job(&self, job: &Job) {
        self.show(|width| job_line(job, width));
    }

    /// Shows these words.
    pub(crate) fn say(&self, text: &str) {
        self.show(|width| cut(&one_line(text), width));
    }

    /// Shows how far something else than a job is.
    pub(crate) fn steps(&self, name: &str, progress: &Progress) {
        self.show(|width| line(progress, name, width));
    }

    fn show(&self, text: impl FnOnce(usize) -> String) {
        if !self.line.is_hidden() {
            self.line.set_message(text(self.width));
            self.ticking.call_once(|| self.line.enable_steady_tick(TICK));
        }
    }

    /// Prints above the line.
    pub(crate) fn above(&self, print: impl FnOnce()) {
        self.line.suspend(print);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.line.finish_and_clear();
    }
}

/// A job as one line of at most this width.
fn job_line(job: &Job, width: usize) -> String {
    let about = image::about(job);
    let name = about.as_deref().or(job.repository.as_deref()).unwrap_or_default();
    match (&job.progress, job.state) {
        (_, JobState::Cancelling) => cut(&format!("{name}: cancelling"), width),
        (Some(progress), JobState::Running) if says_something(progress) => {
            let phase = Some(&progress.phase).filter(|phase| !phase.is_empty());
            let phase = phase.unwrap_or(&job.operation).clone();
            line(&Progress { phase, ..progress.clone() }, name, width)
        }
        (_, state) => {
            cut(&one_line(&format!("{name}: {} {}", job.operation, state.as_str())), width)
        }
    }
}

fn says_something(progress: &Progress) -> bool {
    !progress.phase.is_empty() || progress.done > 0 || progress.bytes > 0
}

/// Progress as one line: name and phase, bar, counts, bytes, rate, what is at hand. What does not
/// fit is left out from the end, the bar shrinks first.
pub(crate) fn line(progress: &Progress, name: &str, width: usize) -> String {
    let phase = one_line(&progress.phase);
    let head = match (name.is_empty(), phase.is_empty()) {
        (true, _) => phase,
        (false, true) => one_line(name),
        (false, false) => format!("{}: {phase}", one_line(name)),
    };
    let figures = figures(progress);
    // On a narrow terminal the number says more than the phase.
    let first = figures.first().map_or(0, |figure| figure.chars().count() + 1);
    let head = if head.chars().count() + first > width && !name.is_empty() {
        one_line(name)
    } else {
        head
    };
    let mut text = cut(&head, width.saturating_sub(first).max(width / 2));
    let free = |part: &str, text: &mut String| {
        let fits = text.chars().count() + 1 + part.chars().count() <= width;
        if fits && !part.is_empty() {
            text.push(' ');
            text.push_str(part);
        }
        fits
    };
    let taken = text.chars().count() + figures.iter().map(|part| part.len() + 1).sum::<usize>() + 1;
    let room = width.saturating_sub(taken).min(BAR.1);
    if let Some(share) = share(progress)
        && room >= BAR.0
    {
        free(&bar(share, room - 2), &mut text);
    }
    for part in &figures {
        if !free(part, &mut text) {
            return text;
        }
    }
    let left = width.saturating_sub(text.chars().count() + 1);
    if left >= 12 {
        free(&cut(&one_line(&progress.activity), left), &mut text);
    }
    text
}

pub(super) fn figures(progress: &Progress) -> Vec<String> {
    let mut figures = Vec::new();
    let total = progress.total.filter(|total| *total > 0);
    match total {
        Some(100) if progress.unit == PERCENT => figures.push(format!("{} %", progress.done)),
        Some(total) => figures.push(format!("{}/{}", count(progress.done), count(total))),
        None if progress.done > 0 => figures.push(count(progress.done)),
        None => {}
    }
    if !figures.is_empty() && !progress.unit.is_empty() && progress.unit != PERCENT {
        figures.push(one_line(&progress.unit));
    }
    if progress.bytes > 0 {
        figures.push(size(progress.bytes));
    }
    if progress.rate > 0 {
        figures.push(per_second(approximate(progress.rate)));
    }
    figures
}

/// How much is done, by bytes when their total is known, else by steps.
fn share(progress: &Progress) -> Option<f64> {
    let (done, total) = match progress.bytes_total {
        Some(total) if total > 0 => (progress.bytes, total),
        _ => (progress.done, progress.total.filter(|total| *total > 0)?),
    };
    Some((approximate(done) / approximate(total)).min(1.0))
}

fn bar(share: f64, width: usize) -> String {
    let full =
        usize::try_from(whole(share * approximate(width as u64))).unwrap_or(width).min(width);
    let head = if full < width { ">" } else { "" };
    format!("[{}{head}{}]", "=".repeat(full), " ".repeat(width - full - head.len()))
}

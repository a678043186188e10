//! Where the lines of one plugin go: to `tracing` under the target `wharf::plugin`, to whoever
//! listens, and into a tail of the last lines. Bounded in rate: a plugin that floods is told so
//! once a second (F61).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::time::Instant;
use tracing::Level;
use tracing::level_filters::LevelFilter;

use super::log_line::{Entry, LogLine, parse};
use super::{Logging, Mask};
use crate::text::printable_bytes;

/// Lines that are passed on in one second; further ones are counted and dropped.
const LINES_PER_WINDOW: u32 = 1_000;
const WINDOW: Duration = Duration::from_secs(1);
/// How many lines the tail holds, and how long each may be.
const TAIL_LINES: usize = 20;
const TAIL_LINE_BYTES: usize = 2_000;
/// How far a listener may fall behind before it loses lines.
const LISTENER_LINES: usize = 1_024;

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The pipe: logs and crash reports.
    Stderr,
    /// go-plugin's stdio service: what the plugin's code printed.
    Stdio,
}

/// The log of one plugin process.
#[derive(Debug)]
pub(crate) struct Logs {
    plugin: String,
    instance: u64,
    /// The host's name, a dot, the plugin's.
    logger: Arc<str>,
    /// Lines of a lower level are dropped. The tail and the raw copy have them all the same.
    level: LevelFilter,
    mask: Mask,
    state: Mutex<State>,
    listeners: broadcast::Sender<LogLine>,
}

#[derive(Debug)]
struct State {
    tail: VecDeque<String>,
    window: Instant,
    passed: u32,
    dropped: u64,
}

impl Logs {
    /// Of a plugin of this name, its program's base name most often.
    pub(crate) fn new(plugin: String, instance: u64, logging: &Logging) -> Self {
        let tail = VecDeque::with_capacity(TAIL_LINES);
        let state = State { tail, window: Instant::now(), passed: 0, dropped: 0 };
        let (listeners, _) = broadcast::channel(LISTENER_LINES);
        let logger = format!("{}.{plugin}", logging.host).into();
        let (level, mask) = (logging.level, logging.mask.clone());
        Self { plugin, instance, logger, level, mask, state: Mutex::new(state), listeners }
    }

    /// The last lines of standard error, oldest first.
    pub(crate) fn tail(&self) -> Vec<String> {
        self.state().tail.iter().cloned().collect()
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<LogLine> {
        self.listeners.subscribe()
    }

    /// One whole line, to be parsed.
    pub(crate) fn line(&self, source: Source, line: &[u8], panicking: &mut bool) {
        self.remember(source, line);
        let entry = || parse(line, panicking, |level| self.wants(level));
        self.admit(entry);
    }

    /// A piece of a line that is too long to be parsed.
    pub(crate) fn piece(&self, source: Source, piece: &[u8]) {
        self.remember(source, piece);
        let entry = || Entry::plain(Level::DEBUG, printable_bytes(piece));
        self.admit(|| self.wants(Level::DEBUG).then(entry));
    }

    /// A line of the host's own about this plugin.
    pub(crate) fn note(&self, level: Level, text: &str) {
        if self.wants(level) {
            self.pass(Entry::plain(level, text.to_owned()));
        }
    }

    /// Passes once the dropped lines of this second can be told; never while nothing was dropped.
    pub(crate) async fn quiet_over(&self) {
        let until = {
            let state = self.state();
            (state.dropped > 0).then_some(state.window + WINDOW)
        };
        match until {
            Some(until) => tokio::time::sleep_until(until).await,
            None => std::future::pending().await,
        }
    }

    /// Says how many lines were dropped, if any were.
    pub(crate) fn tell_dropped(&self) {
        let dropped = std::mem::take(&mut self.state().dropped);
        if dropped > 0 {
            self.note(Level::WARN, &format!("dropped {dropped} lines: more than 1,000 a second"));
        }
    }

    fn remember(&self, source: Source, line: &[u8]) {
        if source == Source::Stderr {
            let line = self.mask.apply(printable_bytes(line));
            self.state().remember(line.as_bytes());
        }
    }

    /// Whether anybody would see a line of this level.
    fn wants(&self, level: Level) -> bool {
        let seen = level <= LevelFilter::current() || self.listeners.receiver_count() > 0;
        level <= self.level && seen
    }

    /// Passes the line on if it is wanted and the plugin has not written too many. In a flood lines
    /// are counted unread.
    fn admit(&self, entry: impl FnOnce() -> Option<Entry>) {
        if self.is_flooded() {
            self.state().dropped += 1;
        } else if let Some(entry) = entry() {
            self.state().passed += 1;
            self.pass(entry);
        }
    }

    /// Begins a new second when the last one is over, and tells what was dropped in it.
    fn is_flooded(&self) -> bool {
        let mut state = self.state();
        if state.window.elapsed() < WINDOW {
            return state.passed >= LINES_PER_WINDOW;
        }
        state.window = Instant::now();
        state.passed = 0;
        drop(state);
        self.tell_dropped();
        false
    }

    fn pass(&self, mut entry: Entry) {
        entry.mask(&self.mask);
        self.trace(&entry);
        if self.listeners.receiver_count() > 0 {
            let Entry { level, text, fields } = entry;
            let line = LogLine { logger: Arc::clone(&self.logger), level, text, fields };
            // The last listener may leave at this moment.
            self.listeners.send(line).ok();
        }
    }

    /// A level must be known where it is written down, hence the five arms.
    fn trace(&self, line: &Entry) {
        let (plugin, instance, logger) = (self.plugin.as_str(), self.instance, &*self.logger);
        let Entry { level, text, fields } = line;
        let fields = (!fields.is_empty()).then(|| {
            serde_json::to_string(fields).unwrap_or_else(|error| format!("unreadable: {error}"))
        });
        macro_rules! event {
            ($level:ident) => {
                tracing::event!(target: "wharf::plugin", Level::$level, plugin, instance, logger, fields, "{text}")
            };
        }
        match *level {
            Level::TRACE => event!(TRACE),
            Level::DEBUG => event!(DEBUG),
            Level::INFO => event!(INFO),
            Level::WARN => event!(WARN),
            Level::ERROR => event!(ERROR),
        }
    }

    /// A panic elsewhere cannot leave a half-made state behind.
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remember(&mut self, line: &[u8]) {
        if self.tail.len() == TAIL_LINES {
            self.tail.pop_front();
        }
        let (line, mark) = match line.get(..TAIL_LINE_BYTES) {
            Some(head) if line.len() > TAIL_LINE_BYTES => (head, "..."),
            _ => (line, ""),
        };
        self.tail.push_back(printable_bytes(line) + mark);
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::Lines;
    use super::*;

    fn received(listener: &mut broadcast::Receiver<LogLine>) -> Vec<LogLine> {
        std::iter::from_fn(|| listener.try_recv().ok()).collect()
    }

    // H89, H95
    #[tokio::test]
    async fn long_lines_come_in_pieces_and_the_last_line_needs_no_end() {
        let logs = Logs::new("p".into(), 1, &Logging::default());
        let mut listener = logs.listen();
        let mut lines = Lines::new(Source::Stderr);
        let long = format!("{{{}\n[WARN] short\nlast", "x".repeat(100_000));
        for chunk in long.as_bytes().chunks(777) {
            lines.push(chunk, &logs);
        }
        lines.finish(&logs);
        let got = received(&mut listener);
        let lengths: Vec<_> = got.iter().map(|line| line.text.len()).collect();
        assert_eq!(lengths, [65_536, 100_001 - 65_536, 12, 4]);
        assert_eq!(got[2].level, Level::WARN);
    }

    // F61
    #[tokio::test]
    async fn a_flood_is_capped_and_counted() {
        let logs = Logs::new("p".into(), 1, &Logging::default());
        let mut listener = logs.listen();
        for n in 0..5_000 {
            logs.line(Source::Stderr, format!("line {n}").as_bytes(), &mut false);
        }
        let before = received(&mut listener);
        assert!(before.len() <= 1_000 + 1, "{}", before.len());
        logs.tell_dropped();
        let told = received(&mut listener);
        assert!(told[0].text.starts_with("dropped "), "{told:?}");
        assert_eq!(logs.tail().last().map(String::as_str), Some("line 4999"));
        assert_eq!(logs.tail().len(), 20);
    }
}

//! What the demo says, a line as soon as a step is done, and one object at the end for programs.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::download::Comparison;
use super::source::{Lists, SUMS, Source};
use crate::api::{Job, JobResult, Plugin};
use crate::app::App;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::job::remarks;
use crate::render::json::JobLine;
use crate::render::text::{count, exact, many, rate, seconds, size};
use crate::render::{BAD, GOOD, LABEL, WARN, styled};

/// How many file names are shown of each kind.
const SHOWN: usize = 5;

/// What was downloaded.
#[derive(Debug)]
pub(super) struct Downloaded {
    /// Files, the lists included.
    pub(super) files: u64,
    /// Their bytes.
    pub(super) bytes: u64,
    /// How long it took, comparing included.
    pub(super) seconds: f64,
    /// Files of the source that are not published.
    pub(super) missing: Vec<String>,
    /// Both published lists name the same digests.
    pub(super) lists_agree: bool,
}

/// Tells step by step.
pub(super) struct Account<'a> {
    app: &'a App,
    started: Instant,
    /// From the start to the last step, in seconds.
    took: f64,
    object: Map<String, Value>,
    url: String,
}

impl<'a> Account<'a> {
    /// Nothing told yet.
    pub(super) fn new(app: &'a App) -> Self {
        Self { app, started: Instant::now(), took: 0.0, object: Map::new(), url: String::new() }
    }

    fn row(&self, label: &str, text: &str) -> Result<(), Error> {
        self.app.output.note(&format!("{} {text}", styled(LABEL, &format!("{label:<9}"))))
    }

    fn keep(&mut self, name: &str, value: Value) {
        self.object.insert(name.to_owned(), value);
    }

    /// What is shown.
    pub(super) fn source(&mut self, source: &Source) -> Result<(), Error> {
        self.keep("source", Value::from(source.origin.value.as_str()));
        self.keep("files", Value::from(source.extent.files.len()));
        self.row("source", &source.describe())
    }

    /// The child process that did it.
    pub(super) fn plugin(&mut self, plugins: &[Plugin], job: &Job) -> Result<(), Error> {
        let name = job.component.as_deref().unwrap_or_default();
        let name = name.split_once('.').map_or(name, |(plugin, _)| plugin);
        let version = plugins.iter().find(|plugin| plugin.name == name);
        let version = version.map(|plugin| plugin.version.as_str()).unwrap_or_default();
        let process = match &job.plugin {
            Some(process) => {
                let tls = if process.tls { "mutual TLS" } else { "no encryption" };
                let took = seconds(process.handshake_ms / 1000.0);
                format!(": child process {}, handshake {took}, {tls}", process.pid)
            }
            None => String::new(),
        };
        self.keep("plugin", json!({ "name": name, "version": version, "process": job.plugin }));
        self.row("plugin", &format!("{} {}{process}", exact(name), exact(version)))
    }

    /// The first sync.
    pub(super) fn sync(&mut self, job: &Job) -> Result<(), Error> {
        let result = result(job);
        let mut text = format!("{} in {}", many(result.added, "unit", "units"), took(&result));
        text.push_str(&version(&result));
        text.push_str(&trouble(&result));
        self.keep("sync", json!(JobLine::from(job)));
        self.row("sync", &text)?;
        for remark in remarks(&result).iter().take(SHOWN) {
            self.row("", remark.trim_start())?;
        }
        Ok(())
    }

    /// The publication.
    pub(super) fn publish(&mut self, job: &Job, url: &str, lists: &Lists) -> Result<(), Error> {
        let result = result(job);
        url.clone_into(&mut self.url);
        self.keep("publish", json!(JobLine::from(job)));
        self.keep("url", Value::from(url));
        let sums = if lists.sums { format!(" and {SUMS}") } else { String::new() };
        let lists = format!("with {}{sums}", exact(&lists.manifest));
        let version = result.version.unwrap_or(0);
        self.row("publish", &format!("version {version} {lists} in {}", took(&result)))?;
        self.row("address", url)
    }

    /// The way back over HTTP.
    pub(super) fn downloaded(&mut self, downloaded: &Downloaded) -> Result<(), Error> {
        let Downloaded { files, bytes, seconds: span, .. } = *downloaded;
        let per_second = rate(bytes, span).map(|rate| format!(" at {rate}")).unwrap_or_default();
        self.keep("download", json!({ "files": files, "bytes": bytes, "seconds": span }));
        let files = many(files, "file", "files");
        self.row(
            "download",
            &format!("{files}, {} over HTTP in {}{per_second}", size(bytes), seconds(span)),
        )
    }

    /// What the comparison found.
    pub(super) fn compared(
        &mut self,
        found: &Comparison,
        downloaded: &Downloaded,
    ) -> Result<(), Error> {
        let all =
            found.equal + (found.moved.len() + found.wrong.len() + downloaded.missing.len()) as u64;
        let mut text = format!(
            "{} of {} equal to the source by SHA-256",
            count(found.equal),
            many(all, "file", "files")
        );
        if found.equal == all {
            text = styled(GOOD, &text);
        }
        self.keep("equal", Value::from(found.equal));
        self.keep("moved", json!(found.moved));
        self.keep("wrong", json!(found.wrong));
        self.keep("missing", json!(downloaded.missing));
        self.row("verify", &text)?;
        self.names("not published", WARN, &downloaded.missing)?;
        self.names("changed meanwhile", WARN, &found.moved)?;
        self.names("differs", BAD, &found.wrong)
    }

    fn names(&self, what: &str, style: anstyle::Style, names: &[String]) -> Result<(), Error> {
        for name in names.iter().take(SHOWN) {
            self.row("", &format!("{} {}", styled(style, what), exact(name)))?;
        }
        if names.len() > SHOWN {
            self.row("", &format!("{} and {} more", styled(style, what), names.len() - SHOWN))?;
        }
        Ok(())
    }

    /// The second sync, which should find nothing to do.
    pub(super) fn again(&mut self, job: &Job) -> Result<(), Error> {
        let result = result(job);
        let still = result.version.map(|number| format!("version {number}")).unwrap_or_default();
        let text = if result.added + result.removed == 0 {
            let same = format!("{} in {}", many(result.unchanged, "unit", "units"), took(&result));
            format!("{}: {same}, still {still}", styled(GOOD, "nothing moved"))
        } else {
            let moved = format!("{} added, {} removed", count(result.added), count(result.removed));
            format!(
                "{}: {moved} in {}, now {still}",
                styled(WARN, "the source changed"),
                took(&result)
            )
        };
        self.took = self.started.elapsed().as_secs_f64();
        self.keep("again", json!(JobLine::from(job)));
        self.row("again", &text)
    }

    /// Everything is shown, and goes on being served.
    pub(super) fn kept(&mut self, exit: Exit) -> Result<(), Error> {
        let text = format!("{}; serving at {} until Ctrl-C", verdict(exit), self.url);
        self.app.output.note(&text)?;
        self.object(exit)
    }

    /// The last word, when everything is removed again.
    pub(super) fn end(&mut self, exit: Exit, kept: bool) -> Result<(), Error> {
        if kept {
            return self.app.output.note("stopped; nothing is left behind");
        }
        let span = seconds(self.took);
        let text = format!("{} in {span}; nothing is left behind", verdict(exit));
        self.app.output.note(&text)?;
        self.object(exit)
    }

    fn object(&mut self, exit: Exit) -> Result<(), Error> {
        self.keep("seconds", Value::from(self.took));
        self.keep("ok", Value::from(exit == Exit::DONE));
        if self.app.output.is_json() {
            self.app.output.json(&self.object)?;
        }
        Ok(())
    }
}

fn verdict(exit: Exit) -> String {
    match exit {
        Exit::DONE => styled(GOOD, "done"),
        Exit::PARTIAL => styled(WARN, "done, though not all of the source is there as it is now"),
        _ => styled(BAD, "what is published is not what the source holds"),
    }
}

fn result(job: &Job) -> JobResult {
    job.result.clone().unwrap_or_default()
}

/// `210 ms, 12.3 MiB at 58.6 MiB/s`
fn took(result: &JobResult) -> String {
    let moved = match rate(result.bytes, result.seconds) {
        Some(rate) => format!(", {} at {rate}", size(result.bytes)),
        None if result.bytes > 0 => format!(", {}", size(result.bytes)),
        None => String::new(),
    };
    format!("{}{moved}", seconds(result.seconds))
}

fn version(result: &JobResult) -> String {
    result.version.map(|number| format!(", version {number}")).unwrap_or_default()
}

/// What could not be brought in.
fn trouble(result: &JobResult) -> String {
    let kinds = [(result.failed, "failed"), (result.skipped, "skipped")];
    let kinds = kinds.iter().filter(|(number, _)| *number > 0);
    let words = kinds.map(|(number, word)| styled(WARN, &format!("{} {word}", count(*number))));
    words.fold(String::new(), |text, words| text + ", " + &words)
}

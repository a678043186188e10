//! Has a say before and after steps of other plugins' runs: what it decides, parameters and settings say. Never used outside
//! tests.

use std::io::Write as _;
use std::process::ExitCode;

use serde::Deserialize;
use serde_json::json;
use wharf_sdk::{
    Action, After, Before, Component, Contribution, Error, File, HookContext, Hooks, Plugin, Step,
    Unit, async_trait,
};

struct Both;

impl Component for Both {}

impl Action for Both {}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Told {
    early: Option<String>,
    late: Option<String>,
    decision: String,
    journal: String,
}

impl Told {
    fn of(step: &Step) -> Result<Self, Error> {
        let settings: Self = step.instance.settings()?;
        let parameters: Self = step.parameters()?;
        Ok(Self { early: parameters.early, late: parameters.late, ..settings })
    }

    fn decision(&self) -> &str {
        self.early.as_ref().or(self.late.as_ref()).unwrap_or(&self.decision)
    }

    /// One line for each call, in the order of the calls.
    fn note(&self, text: &str) -> Result<(), Error> {
        if self.journal.is_empty() {
            return Ok(());
        }
        let failed = |error: std::io::Error| Error::fault("journal", error.to_string());
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&self.journal);
        file.map_err(failed)?.write_all(format!("{text}\n").as_bytes()).map_err(failed)
    }
}

/// The text of the only file of a unit.
fn text(unit: &Unit, context: &HookContext) -> Result<String, Error> {
    let staged = unit.files().find_map(|file| file.staged_path().map(str::to_owned));
    let staged = staged.ok_or_else(|| Error::fault("unit", "it has no staged file"))?;
    let read = std::fs::read_to_string(context.in_work_dir(staged));
    read.map_err(|error| Error::fault("unit", error.to_string()))
}

fn image(context: &HookContext, name: &str, text: &str) -> Result<Unit, Error> {
    let written = std::fs::write(context.in_work_dir(name), text);
    written.map_err(|error| Error::fault("write", error.to_string()))?;
    Ok(Unit::new("image_target").file(File::at("image.hook").staged(name)))
}

#[async_trait]
impl Hooks for Both {
    async fn before(&self, step: Step, context: &HookContext) -> Result<Before, Error> {
        let told = Told::of(&step)?;
        let component = &step.instance.component;
        let subject: serde_json::Value = step.subject()?;
        let parent = step.parent.as_ref().map(Unit::id).is_some();
        told.note(&format!(
            "{component} before {} {} parent={parent}",
            step.name, subject["target"]
        ))?;
        let give = |kind: &str, name: &str| Contribution::new(kind, name, component.as_bytes());
        match told.decision() {
            "skip" => Ok(Before::skip()),
            "replace" => {
                let base = step.parent.ok_or_else(|| Error::fault("parent", "there is none"))?;
                let text = format!("{component} made it\n{}", text(&base, context)?);
                let unit = image(context, "replaced", &text)?;
                Ok(Before::replace(unit.attributes(&json!({ "format": "hook" }))?))
            }
            "replace-nothing" => Ok(Before::replace(Unit::new("image_target"))),
            "refuse" => Err(Error::usage("policy.size", "such images are not made here")),
            "crash" => std::process::abort(),
            "give" => Ok(Before::proceed()
                .contribution(give("file", "/etc/motd").order(2))
                .contribution(give("command", "setup").order(1))
                .contribution(give("argument", "comment"))),
            _ => Ok(Before::proceed()),
        }
    }

    async fn after(&self, step: Step, context: &HookContext) -> Result<After, Error> {
        let told = Told::of(&step)?;
        let component = &step.instance.component;
        let why = step.error.as_ref().map(|error| error.code().to_owned()).unwrap_or_default();
        let outcome = step.outcome.map(|outcome| format!("{outcome:?}")).unwrap_or_default();
        told.note(&format!("{component} after {} {outcome} {why}", step.name))?;
        match (told.decision(), &step.unit) {
            ("change", Some(unit)) => {
                let text = format!("{component} was here\n{}", text(unit, context)?);
                Ok(After::changed(image(context, component, &text)?))
            }
            ("tag", Some(_)) => {
                let unit = Unit::new("image_target");
                Ok(After::changed(unit.attributes(&json!({ "format": "tagged" }))?))
            }
            ("fail", _) => Err(Error::operation("source.scanner", "the scanner is not there")),
            _ => Ok(After::unchanged()),
        }
    }
}

fn main() -> ExitCode {
    Plugin::new(include_str!("plugin.json"))
        .action("late", Both)
        .action("early", Both)
        .hooks(Both)
        .serve()
}

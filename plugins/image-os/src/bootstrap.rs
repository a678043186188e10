//! The call of mmdebstrap that makes a tree, or changes one.

use std::path::Path;

use wharf_sdk::tool::{self, Command, Options};
use wharf_sdk::{Context, Error, Progress};

use crate::request::Recipe;
use crate::sandbox::Sandbox;
use crate::steps::Steps;
use crate::system::System;

/// Makes mirrors in folders of this machine visible in the tree while it is made; part of mmdebstrap.
const LOCAL_MIRRORS: &str = "/usr/share/mmdebstrap/hooks/file-mirror-automount";

/// A tree to be made.
pub(crate) struct Bootstrap<'a> {
    pub(crate) recipe: &'a Recipe,
    pub(crate) system: &'a System,
    pub(crate) sandbox: Sandbox,
    pub(crate) steps: &'a Steps,
    /// Lines of sources.list.
    pub(crate) sources: &'a [String],
    /// Lines of apt.conf.
    pub(crate) options: &'a [String],
    /// Installed with the essential ones; a parent's tree has those, and gets more by the hook.
    pub(crate) include: &'a [String],
    pub(crate) has_parent: bool,
    /// Whether packages are fetched at all.
    pub(crate) fetches: bool,
}

impl Bootstrap<'_> {
    /// Makes the tree, as a tar archive.
    pub(crate) async fn run(&self, context: &Context, archive: &Path) -> Result<(), Error> {
        let command = self.command(context, archive);
        let options = Options::new("installing").limit(self.recipe.timeout()).progress(phase);
        tool::run(context, &command, &options).await.map(drop)
    }

    fn command(&self, context: &Context, archive: &Path) -> Command {
        let steps = self.steps;
        let mut command = self
            .sandbox
            .mmdebstrap()
            .arg(format!("--mode={}", self.sandbox.mode()))
            .arg(format!(
                "--variant={}",
                if self.has_parent { "custom" } else { self.recipe.variant() }
            ))
            .arg(format!("--architectures={}", self.system.architecture))
            .args(["--format=tar", "--skip=output/dev,output/mknod"])
            .env("WHARF_STEPS", steps.folder())
            .env("TMPDIR", context.in_work_dir("build/tmp"))
            .env("DEBIAN_FRONTEND", "noninteractive");
        if !self.fetches {
            command = command.arg("--skip=update,cleanup/apt");
        }
        if self.recipe.parameters.source_date_epoch > 0 {
            let epoch = self.recipe.parameters.source_date_epoch.to_string();
            command = command.env("SOURCE_DATE_EPOCH", epoch);
        }
        if !self.recipe.keyring.is_empty() {
            command = command.arg(format!("--keyring={}", self.recipe.keyring));
        }
        for option in self.options {
            command = command.arg(format!("--aptopt={option}"));
        }
        if !self.include.is_empty() && !self.has_parent {
            command = command.arg(format!("--include={}", self.include.join(",")));
        }
        for hook in ["setup", "essential", "customize"] {
            let mut option = std::ffi::OsString::from(format!("--{hook}-hook="));
            option.push(steps.path(hook));
            command = command.arg(option);
        }
        if self.sources.iter().any(|line| line.contains("file:")) {
            command = command.arg(format!("--hook-dir={LOCAL_MIRRORS}"));
        }
        command.arg(&self.system.suite).arg(archive).args(self.sources.iter())
    }
}

/// mmdebstrap's own words for what goes on.
fn phase(line: &str) -> Option<Progress> {
    const STEPS: [&str; 7] = [
        "I: running apt-get update",
        "I: downloading packages",
        "I: extracting archives",
        "I: installing essential",
        "I: installing remaining",
        "I: cleaning package lists",
        "I: creating tarball",
    ];
    let at = STEPS.iter().position(|step| line.starts_with(step))?;
    let count = |number: usize| u64::try_from(number).unwrap_or_default();
    Some(Progress::new(count(at), count(STEPS.len())).unit("steps"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mmdebstrap_says_of_its_steps_is_progress() {
        let at = |line| phase(line).is_some();
        assert!(at("I: downloading packages with apt..."));
        assert!(!at("Setting up libc6"));
        assert_eq!(phase("I: creating tarball..."), Some(Progress::new(6, 7).unit("steps")));
    }
}

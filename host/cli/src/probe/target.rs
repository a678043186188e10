//! What is to be started: the program, how it is told to start, and what is offered to it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wharf_conformance::{plugin_in, plugin_of};
use wharf_engine::Problem;
use wharf_supervisor::Installed;

use crate::app::App;
use crate::args::{Cookie, Probe};
use crate::error::Error;

/// What is offered when nothing is known about the plugin: it chooses the highest that it speaks.
const ALL: std::ops::RangeInclusive<u32> = 0..=99;

/// A program and everything that decides how it is started.
#[derive(Debug)]
pub(super) struct Target {
    /// A path, or a name to be looked up in `PATH`.
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) variables: Vec<(String, String)>,
    pub(super) cookie: Cookie,
    /// Whether `cookie` is the application's, given by the caller.
    pub(super) cookie_given: bool,
    pub(super) offer: Offer,
    /// The plugin's manifest, when one lies beside it.
    pub(super) manifest: Option<PathBuf>,
}

/// Application protocol versions, and where they are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Offer {
    Given(Vec<u32>),
    Manifest(Vec<u32>),
    All,
}

impl Offer {
    /// The numbers.
    pub(super) fn versions(&self) -> Vec<u32> {
        match self {
            Self::Given(versions) | Self::Manifest(versions) => versions.clone(),
            Self::All => ALL.collect(),
        }
    }
}

/// `0-99`, or the numbers.
impl std::fmt::Display for Offer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => write!(f, "{}-{}", ALL.start(), ALL.end()),
            Self::Given(versions) | Self::Manifest(versions) => {
                let texts: Vec<String> = versions.iter().map(u32::to_string).collect();
                f.write_str(&texts.join(","))
            }
        }
    }
}

impl Target {
    /// Reads the command line and, where there is one, the plugin's manifest.
    pub(super) fn find(app: &App, args: &Probe) -> Result<Self, Error> {
        let path = on_disk(&args.path);
        let installed = if path.is_absolute() && path.is_dir() {
            Some(in_folder(&path, app)?)
        } else {
            plugin_of(&path)
        };
        let manifest = installed.as_deref().map(|installed| &installed.manifest);
        let offer = match (args.protocols.as_slice(), manifest) {
            ([], Some(manifest)) => Offer::Manifest(manifest.protocol.versions.clone()),
            ([], None) => Offer::All,
            (given, _) => Offer::Given(given.to_vec()),
        };
        let declared = manifest.map(|manifest| manifest.args.iter().map(OsString::from));
        let ours = || Cookie {
            key: wharf_proto::COOKIE_KEY.to_owned(),
            value: wharf_proto::COOKIE_VALUE.to_owned(),
        };
        Ok(Self {
            arguments: declared.into_iter().flatten().chain(args.arguments.clone()).collect(),
            variables: manifest
                .map(|manifest| manifest.env.clone().into_iter().collect())
                .unwrap_or_default(),
            cookie: args.cookie.clone().unwrap_or_else(ours),
            cookie_given: args.cookie.is_some(),
            offer,
            manifest: installed.as_deref().map(|installed| installed.folder.join("plugin.json")),
            program: installed.map_or(path, |installed| installed.executable.clone()),
        })
    }
}

/// A file or plugin in the folder we are in goes before a program in `PATH`.
fn on_disk(path: &Path) -> PathBuf {
    let here = std::path::absolute(path).unwrap_or_else(|_unknown_folder| path.to_owned());
    let has_folder = path.components().count() > 1;
    let is_here = here.is_file() || here.join("plugin.json").is_file();
    if has_folder || is_here { here } else { path.to_owned() }
}

/// The plugin that this folder is.
fn in_folder(folder: &Path, app: &App) -> Result<Arc<Installed>, Error> {
    let at = folder.display().to_string();
    let beside_us = app.executable.parent().map(Path::to_owned);
    let Some(plugin) = plugin_in(folder, beside_us.as_deref()) else {
        let problem = Problem::fault("launch", "it is a folder without a plugin.json");
        return Err(problem.at(at).help("name the plugin's program in it").into());
    };
    match &plugin.broken {
        None => Ok(plugin),
        Some(reason) => Err(Problem::fault("launch", format!("the plugin is broken: {reason}"))
            .at(at)
            .help("mend its plugin.json, or name the plugin's program itself")
            .into()),
    }
}

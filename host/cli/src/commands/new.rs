//! `wharf plugin new`: a fresh plugin that builds and passes its own test, in a new folder.
//!
//! The templates are embedded; `sdk/templates/README.md` tells their form. A project is made beside its place and moved
//! there whole; what is there already is never touched.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, include_dir};
use serde_json::json;

use crate::app::App;
use crate::args::PluginNew;
use crate::error::Error;
use crate::exit::Exit;

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../sdk/templates");

/// `wharf plugin new`
pub(super) fn create(app: &App, args: &PluginNew) -> Result<Exit, Error> {
    wharf_supervisor::check_name("NAME", &args.name)
        .map_err(|broken| Error::usage(broken, "give the plugin a name like \"my-plugin\""))?;
    let place = args.folder.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    let place = std::path::absolute(&place).map_err(|source| failed("use", &place, source))?;
    if place.exists() {
        let message = format!("{} is there already", place.display());
        return Err(Error::usage(message, "name another folder with --folder"));
    }
    let language = args.lang.name();
    let words = Words { name: &args.name, sdk: sdk(app, args.sdk.as_deref(), language)? };
    write_project(&place, language, args.role.name(), &words)?;
    let commands = TEMPLATES.get_file(format!("{language}/COMMANDS"));
    let commands = words.filled(commands.and_then(|file| file.contents_utf8()).unwrap_or_default());
    let verify = format!("{} plugin verify .", program(app));
    // A line of the template that is no command is for people alone.
    let (told, commands): (Vec<&str>, Vec<&str>) =
        commands.lines().chain([verify.as_str()]).partition(|line| line.starts_with('#'));
    if app.output.is_json() {
        app.output.json(&json!({ "folder": place, "commands": commands }))?;
    } else {
        let (steps, place) = (commands.join("\n  "), place.display());
        app.output.note(&format!(
            "{place}: made. It builds and is tested by\n\n  cd {place}\n  {steps}"
        ))?;
        for line in told {
            app.output.note(line.trim_start_matches(['#', ' ']))?;
        }
    }
    Ok(Exit::DONE)
}

/// How a shell starts this program: by its name when the name alone means this file, else by its path.
fn program(app: &App) -> String {
    let by_name = app.environment.path.iter().map(|folder| folder.join("wharf"));
    let first = by_name.filter_map(|path| fs::canonicalize(path).ok()).find(|path| path.is_file());
    let own = fs::canonicalize(&app.executable).ok();
    if own.is_some() && first == own { "wharf".to_owned() } else { quoted(&app.executable) }
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte);
    if text.bytes().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// What takes the places that templates leave open.
struct Words<'a> {
    name: &'a str,
    sdk: String,
}

impl Words<'_> {
    fn filled(&self, text: &str) -> String {
        text.replace("@NAME@", self.name).replace("@SDK@", &self.sdk)
    }
}

/// The language's SDK: that of the checkout that this program was built in, unless the user names one.
fn sdk(app: &App, given: Option<&Path>, language: &str) -> Result<String, Error> {
    let checkout = app.executable.ancestors().nth(3).map(|checkout| checkout.join("sdk"));
    let sdks = given.map(Path::to_owned).or(checkout).unwrap_or_default();
    let sdk = sdks.join(language);
    let sdk = fs::canonicalize(&sdk).unwrap_or(sdk);
    let told = sdk.display().to_string();
    if !sdk.is_dir() {
        return Err(Error::usage(
            format!("there is no SDK at {told}"),
            "name the folder sdk of a checkout of wharf with --sdk; the packages are not published yet",
        ));
    }
    if told.contains(char::is_whitespace) {
        let message = format!("the path of the SDK has a blank in it: {told}");
        return Err(Error::usage(message, "move the checkout, or name another one with --sdk"));
    }
    Ok(told)
}

fn write_project(place: &Path, language: &str, role: &str, words: &Words<'_>) -> Result<(), Error> {
    let parent = place.parent().unwrap_or(place);
    fs::create_dir_all(parent).map_err(|source| failed("make", parent, source))?;
    let draft = tempfile::Builder::new().prefix(".wharf-plugin-").tempdir_in(parent);
    let draft = draft.map_err(|source| failed("write to", parent, source))?;
    let layers =
        [format!("common/{role}"), format!("{language}/shared"), format!("{language}/{role}")];
    for layer in layers.iter().filter_map(|layer| TEMPLATES.get_dir(layer)) {
        write_layer(layer, layer.path(), draft.path(), words)?;
    }
    let everyone_reads = Permissions::from_mode(0o755);
    fs::set_permissions(draft.path(), everyone_reads)
        .and_then(|()| fs::rename(draft.path(), place))
        .map_err(|source| failed("make", place, source))?;
    drop(draft.keep());
    Ok(())
}

fn write_layer(
    layer: &Dir<'_>,
    root: &Path,
    project: &Path,
    words: &Words<'_>,
) -> Result<(), Error> {
    for entry in layer.entries() {
        match entry {
            DirEntry::Dir(folder) => write_layer(folder, root, project, words)?,
            DirEntry::File(file) => {
                let path = file.path().strip_prefix(root).unwrap_or(file.path()).to_string_lossy();
                let Some(path) = path.strip_suffix(".in") else { continue };
                let path = words.filled(path);
                let text = words.filled(file.contents_utf8().unwrap_or_default());
                let mode = if path.starts_with("bin/") { 0o755 } else { 0o644 };
                write_file(&project.join(path), &text, mode)?;
            }
        }
    }
    Ok(())
}

fn write_file(file: &Path, text: &str, mode: u32) -> Result<(), Error> {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, text))
        .and_then(|()| fs::set_permissions(file, Permissions::from_mode(mode)))
        .map_err(|source| failed("write", file, source))
}

fn failed(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::File { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_a_shell() {
        assert_eq!(quoted(Path::new("/opt/wharf-1.0/bin/wharf")), "/opt/wharf-1.0/bin/wharf");
        assert_eq!(quoted(Path::new("/my tools/it's/wharf")), r"'/my tools/it'\''s/wharf'");
    }
}

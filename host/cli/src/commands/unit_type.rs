//! `wharf type ...`
//!
//! `check` asks no server: it reads the files that it is given, and nothing else.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::Serialize;
use serde_json::json;
use wharf_engine::{CheckedType, TypeForm, check_types};

use crate::api::{Class, Problem, TypeInfo};
use crate::app::App;
use crate::args::TypeCheck;
use crate::client::encode;
use crate::error::Error;
use crate::exit::Exit;
use crate::render;
use crate::render::text::many;
use crate::session::{Need, with_server};

/// So much of a file is read: one byte more than may be in it, so that the check tells.
const FILE_BYTES: u64 = (1 << 20) + 1;

/// `wharf type list`
pub(super) async fn list(app: &App, strict: bool) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let types: Vec<TypeInfo> = session.client.get("types").await?;
        if strict && let Some(problem) = undefined(&types) {
            return Err(problem.into());
        }
        if app.output.is_json() {
            app.output.json(&json!({ "types": types }))?;
        } else if types.is_empty() {
            app.output
                .note("no plugin defines a type; `wharf plugin list` shows what is installed")?;
        } else {
            app.output.data(&render::unit_type::table(&types, app.terminal.width))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// Types that no plugin defines any more, as a problem.
fn undefined(types: &[TypeInfo]) -> Option<Problem> {
    let names: Vec<&str> =
        types.iter().filter(|kind| !kind.defined).map(|kind| kind.id.as_str()).collect();
    (!names.is_empty()).then(|| Problem {
        class: Class::Usage,
        code: "config.types".to_owned(),
        message: format!("no plugin defines these types any more: {}", names.join(", ")),
        at: None,
        help: Some("install the plugins that define them; their units are kept".to_owned()),
        details: Some(json!({ "fault": "missing_definition", "offenders": names })),
    })
}

/// `wharf type show`
pub(super) async fn show(app: &App, name: &str) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let kind: TypeInfo = session.client.get(&format!("types/{}", encode(name))).await?;
        if app.output.is_json() {
            app.output.json(&kind)?;
        } else {
            app.output.data(&render::unit_type::details(&kind))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// A definition that was found good, for programs.
#[derive(Serialize)]
struct Checked {
    file: String,
    /// `pulp2` or `wharf`.
    form: &'static str,
    #[serde(flatten)]
    becomes: TypeInfo,
    notes: Vec<String>,
}

/// `wharf type check`
pub(super) fn check(app: &App, args: &TypeCheck) -> Result<Exit, Error> {
    let files = args.files.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let types = check_types(&files, &args.known)?;
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    if app.output.is_json() {
        let types: Vec<Checked> = types.into_iter().map(checked).collect();
        app.output.json(&json!({ "types": types }))?;
        return Ok(Exit::DONE);
    }
    for kind in &types {
        let info = TypeInfo::from(kind.definition.clone());
        let pulp = kind.form == TypeForm::Pulp2;
        app.output.data(&render::unit_type::checked(&info, &kind.file, pulp, &kind.notes))?;
        app.output.data("")?;
    }
    let types = many(count(types.len()), "type", "types");
    app.output.note(&format!("{types} in {}: good", many(count(files.len()), "file", "files")))?;
    Ok(Exit::DONE)
}

fn checked(kind: CheckedType) -> Checked {
    Checked {
        file: kind.file,
        form: match kind.form {
            TypeForm::Pulp2 => "pulp2",
            TypeForm::Wharf => "wharf",
        },
        becomes: kind.definition.into(),
        notes: kind.notes,
    }
}

/// A file's name and text. What is no UTF-8 is no JSON either.
fn read(path: &Path) -> Result<(String, String), Error> {
    let unreadable = |source| Error::File { action: "read", path: path.to_path_buf(), source };
    let bytes = bytes(path).map_err(unreadable)?;
    let no_text = |_error| unreadable(io::Error::new(io::ErrorKind::InvalidData, "it is no UTF-8"));
    let text = String::from_utf8(bytes).map_err(no_text)?;
    Ok((path.display().to_string(), text))
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

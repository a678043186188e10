//! The files of a course, as the Moodle-speaking server keeps and lists them.

use std::time::{SystemTime, UNIX_EPOCH};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// A file, or what is listed like one.
#[derive(Debug, Clone)]
pub struct File {
    section: String,
    module: String,
    pub(super) name: String,
    folder: String,
    pub(super) mimetype: Option<&'static str>,
    pub(super) bytes: Vec<u8>,
    /// Seconds since 1970.
    pub(super) changed: u64,
    /// Grows with each upload, as it does in the addresses of a real site.
    edition: u64,
    /// Instead of an address on the site.
    elsewhere: Option<String>,
    kind: &'static str,
}

impl File {
    /// A file of an activity in a section.
    pub fn new(section: &str, module: &str, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            section: section.to_owned(),
            module: module.to_owned(),
            name: name.to_owned(),
            folder: "/".to_owned(),
            mimetype: Some("text/plain"),
            bytes: bytes.as_ref().to_vec(),
            changed: since.as_secs() - 1_000,
            edition: 1,
            elsewhere: None,
            kind: "file",
        }
    }

    /// A page: without type and size.
    #[must_use]
    pub fn page(section: &str, module: &str, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        Self { mimetype: None, ..Self::new(section, module, name, bytes) }
    }

    /// In a folder of the activity, with `/` at both ends.
    #[must_use]
    pub fn inside(self, folder: &str) -> Self {
        Self { folder: folder.to_owned(), ..self }
    }

    /// Of another type.
    #[must_use]
    pub fn typed(self, mimetype: &'static str) -> Self {
        Self { mimetype: Some(mimetype), ..self }
    }

    /// Listed with another site's address.
    #[must_use]
    pub fn elsewhere(self, url: &str) -> Self {
        Self { elsewhere: Some(url.to_owned()), ..self }
    }

    /// A link to another site.
    #[must_use]
    pub fn link(self, url: &str) -> Self {
        Self { kind: "url", mimetype: None, ..self.elsewhere(url) }
    }

    /// Whether it has this name.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name
    }

    /// Other bytes, a second later.
    pub fn change(&mut self, bytes: impl AsRef<[u8]>) {
        self.bytes = bytes.as_ref().to_vec();
        self.changed += 1;
    }

    fn is_at(&self, other: &Self) -> bool {
        let place = |file: &Self| {
            [&file.section, &file.module, &file.folder, &file.name].map(String::clone)
        };
        place(self) == place(other)
    }

    pub(super) fn into_place(mut self, files: &mut Vec<Self>) {
        match files.iter_mut().find(|file| file.is_at(&self)) {
            Some(before) => {
                (self.edition, self.changed) = (before.edition + 1, before.changed + 1);
                *before = self;
            }
            None => files.push(self),
        }
    }
}

/// Sections and activities, in the order in which their first files came, and their files.
pub(super) fn sections(site: &str, course: u64, files: &[File]) -> Value {
    let mut sections: Vec<Value> = Vec::new();
    for file in files {
        let place = sections.iter().position(|it| it["name"] == json!(file.section));
        let place = place.unwrap_or_else(|| {
            let number = sections.len();
            sections.push(json!({ "id": course * 100, "section": number, "name": file.section,
                "visible": 1, "summary": "", "summaryformat": 1, "modules": [
                    { "id": number + 7_000, "name": "News", "modname": "forum" }] }));
            number
        });
        let modules = sections[place]["modules"].as_array_mut().expect("modules");
        let module = modules.iter().position(|it| it["name"] == json!(file.module));
        let module = module.unwrap_or_else(|| {
            modules
                .push(json!({ "id": id(course, file), "name": file.module, "modname": "resource",
                "contents": [] }));
            modules.len() - 1
        });
        let contents = modules[module]["contents"].as_array_mut().expect("contents");
        contents.push(listed(site, course, file));
    }
    json!(sections)
}

/// A number of the activity that only depends on its name and place.
fn id(course: u64, file: &File) -> u64 {
    let sum: u64 = file.section.bytes().chain(file.module.bytes()).map(u64::from).sum();
    course * 100_000 + sum
}

fn listed(site: &str, course: u64, file: &File) -> Value {
    let size = if file.mimetype.is_some() { file.bytes.len() } else { 0 };
    let mut listed = json!({ "type": file.kind, "filename": file.name, "filepath": file.folder,
        "filesize": size, "fileurl": address(site, course, file), "timecreated": 1,
        "timemodified": file.changed, "sortorder": 0, "userid": null, "author": null });
    if let Some(mimetype) = file.mimetype {
        listed["mimetype"] = json!(mimetype);
    }
    listed
}

/// Below the site: activity, edition, folder and name.
fn address(site: &str, course: u64, file: &File) -> String {
    if let Some(elsewhere) = &file.elsewhere {
        return elsewhere.clone();
    }
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let folder: Vec<String> = file.folder.split('/').map(encode).collect();
    format!(
        "{site}/webservice/pluginfile.php/{}/mod_resource/content/{}{}{}?forcedownload=1",
        id(course, file),
        file.edition,
        folder.join("/"),
        encode(&file.name)
    )
}

/// Whether a path of a request means the file; as on a real site, any edition does.
pub(super) fn is_meant(path: &str, course: u64, file: &File) -> bool {
    let without_edition = |path: &str| {
        let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        if parts.len() > 6 {
            parts.remove(6);
        }
        let text = parts.join("/");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let own = address("", course, &File { elsewhere: None, ..file.clone() });
    let own = own.split('?').next().unwrap_or_default();
    without_edition(path) == without_edition(own)
}

//! What the web service answers, in JSON. Source: the functions' own descriptions in Moodle (`core_webservice_get_site_info`,
//! `core_enrol_get_users_courses`, `core_course_get_contents`).
//!
//! What went wrong comes as an object too, with HTTP status 200. Never trusts a name or an address: that is for `layout`.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, SeqAccess, Visitor};

use std::fmt;
use std::marker::PhantomData;

/// The most entries of any one list.
const MAX_LIST: usize = 20_000;

/// Who the key belongs to.
#[derive(Clone, Debug, Deserialize)]
pub struct Site {
    /// The user's number.
    pub userid: u64,
}

/// A course that the user is in.
#[derive(Clone, Debug, Deserialize)]
pub struct Course {
    /// Its number.
    pub id: u64,
    /// As a browser shows it, with HTML's entities.
    pub fullname: String,
}

/// A part of a course.
#[derive(Clone, Debug, Deserialize)]
pub struct Section {
    /// Its place in the course.
    pub section: Option<u64>,
    /// May be empty.
    #[serde(default)]
    pub name: String,
    /// Its activities.
    #[serde(default, deserialize_with = "list")]
    pub modules: Vec<Module>,
}

/// An activity: a file, a folder, a page, a forum, ...
#[derive(Clone, Debug, Deserialize)]
pub struct Module {
    /// Its number on the site.
    pub id: Option<u64>,
    /// Its title.
    #[serde(default)]
    pub name: String,
    /// Its files, if it is of a kind that has some.
    #[serde(default, deserialize_with = "list")]
    pub contents: Vec<Content>,
}

/// A file, or what is listed like one.
#[derive(Clone, Debug, Deserialize)]
pub struct Content {
    /// `file`, `url`, `content`; not set: a file.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its name.
    #[serde(default)]
    pub filename: String,
    /// The folder inside the activity, with `/` at both ends.
    pub filepath: Option<String>,
    /// Its whole address.
    pub fileurl: Option<String>,
    /// In bytes; 0 for pages.
    pub filesize: Option<i64>,
    /// Seconds since 1970.
    pub timemodified: Option<i64>,
    /// Not set for pages.
    pub mimetype: Option<String>,
}

/// What went wrong, in the site's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exception {
    /// A word such as `invalidtoken`.
    pub code: String,
    /// For people, in the site's language.
    pub message: String,
}

/// Why an answer is no good.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The site says no.
    #[error("{}", .0.message)]
    Exception(Exception),
    /// Not what the function answers.
    #[error("{0}")]
    Malformed(#[from] serde_json::Error),
}

/// Reads an answer.
///
/// # Errors
/// It is what went wrong instead, or nothing that the function answers.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    if let Some(exception) = exception(bytes) {
        return Err(Refusal::Exception(exception));
    }
    Ok(serde_json::from_slice(bytes)?)
}

/// The answers of the functions that list: at most 20,000 entries.
#[derive(Debug)]
pub struct List<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Bounded(PhantomData)).map(Self)
    }
}

/// What went wrong, if that is what the bytes say: an object that names an error.
pub fn exception(bytes: &[u8]) -> Option<Exception> {
    #[derive(Deserialize)]
    struct Said {
        exception: Option<String>,
        errorcode: Option<String>,
        message: Option<String>,
        error: Option<String>,
    }
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let said: Said = serde_json::from_slice(bytes).ok()?;
    let code = said.errorcode.or(said.exception)?;
    Some(Exception { code, message: said.message.or(said.error).unwrap_or_default() })
}

/// A list that may be missing or null.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let list: Option<List<T>> = Option::deserialize(deserializer)?;
    Ok(list.map(|list| list.0).unwrap_or_default())
}

struct Bounded<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Bounded<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Vec<T>, A::Error> {
        let mut all = Vec::new();
        while let Some(entry) = entries.next_element()? {
            if all.len() == MAX_LIST {
                return Err(A::Error::custom(format_args!("a list of over {MAX_LIST} entries")));
            }
            all.push(entry);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_is_told_from_what_was_asked_for() {
        let refused = br#"{"exception":"moodle_exception","errorcode":"invalidtoken","message":"Invalid token"}"#;
        let refused = read::<List<Course>>(refused).unwrap_err();
        assert!(matches!(refused, Refusal::Exception(it) if it.code == "invalidtoken"));
        let of_a_file =
            br#" {"error":"File not found","errorcode":"filenotfound","stacktrace":null}"#;
        assert_eq!(exception(of_a_file).unwrap().message, "File not found");
        for good in [&b"[]"[..], br#"{"a":1}"#, br#"[{"exception":"x"}]"#, br#"{"errorcode":null}"#]
        {
            assert_eq!(exception(good), None);
        }
        assert_eq!(read::<Site>(br#"{"userid":7,"sitename":"x"}"#).unwrap().userid, 7);
    }

    #[test]
    fn activities_without_files_and_unknown_fields_are_taken() {
        let text = br#"[{"id":1,"section":0,"name":"General","x":{"y":[]},"modules":[
            {"id":5,"name":"News","modname":"forum"},{"id":6,"name":"Empty","contents":null},
            {"id":7,"name":"Plan","contents":[{"filename":"a.pdf","fileurl":"https://m.example/p.php/1","filesize":3,
            "timemodified":9,"mimetype":"application/pdf"}]}]}]"#;
        let sections = read::<List<Section>>(text).unwrap().0;
        let files: Vec<usize> = sections[0].modules.iter().map(|it| it.contents.len()).collect();
        assert_eq!(files, [0, 0, 1]);
    }

    // F103
    #[test]
    fn lists_that_are_too_long_or_too_deep_are_refused() {
        let long = format!("[{}]", vec![r#"{"id":1,"fullname":"x"}"#; MAX_LIST + 1].join(","));
        let refused = read::<List<Course>>(long.as_bytes()).unwrap_err();
        assert!(refused.to_string().contains("over 20000"), "{refused}");
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(read::<List<Section>>(deep.as_bytes()).is_err());
        let hidden = format!(r#"[{{"section":1,"x":{deep}}}]"#);
        drop(read::<List<Section>>(hidden.as_bytes()));
    }
}

//! What the Moodle-speaking server answers, in the words of a real one.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::file::{self, File};
use super::wire::{Answer, Request};
use super::{State, TOKEN, Trick};

/// The one user.
const USER: u64 = 77;

pub(super) fn answer(state: &mut State, request: &Request) -> Answer {
    state.targets.push(request.target.clone());
    let path = request.path();
    if request.method != "POST" {
        return text(405, "text/plain", "this server takes forms");
    }
    if path == "/webservice/rest/server.php" {
        return function(state, request);
    }
    if path.starts_with("/webservice/pluginfile.php/") {
        return bytes(state, request);
    }
    text(404, "text/html", "<html><body>Not found</body></html>")
}

fn text(status: u16, kind: &str, text: &str) -> Answer {
    let headers = vec![("Content-Type", kind.to_owned())];
    Answer { status, headers, body: text.as_bytes().to_vec(), ..Answer::default() }
}

fn said(value: &Value) -> Answer {
    text(200, "application/json; charset=utf-8", &value.to_string())
}

fn refused(exception: &str, code: &str, message: &str) -> Answer {
    said(&json!({ "exception": exception, "errorcode": code, "message": message }))
}

fn function(state: &mut State, request: &Request) -> Answer {
    let function = request.parameter("wsfunction");
    state.seen.push(function.to_owned());
    match state.tricks.remove(function) {
        Some(Trick::Say(status, kind, body)) => return text(status, kind, &body),
        Some(trick) => panic!("{trick:?} is none of a function"),
        None => {}
    }
    if request.parameter("moodlewsrestformat") != "json" {
        return text(200, "application/xml", "<EXCEPTION class=\"moodle_exception\"/>");
    }
    if request.parameter("wstoken") != TOKEN {
        return refused("moodle_exception", "invalidtoken", "Invalid token - token not found");
    }
    match function {
        "core_webservice_get_site_info" => {
            said(&json!({ "sitename": "School", "userid": USER, "functions": [] }))
        }
        "core_enrol_get_users_courses" if request.parameter("userid") == USER.to_string() => {
            let course =
                |it: &super::Course| json!({ "id": it.id, "shortname": "x", "fullname": it.name });
            said(&state.courses.iter().map(course).collect())
        }
        "core_enrol_get_users_courses" => refused(
            "invalid_parameter_exception",
            "invalidparameter",
            "Invalid parameter value detected",
        ),
        "core_course_get_contents" => contents(state, request.parameter("courseid")),
        _ => refused(
            "dml_missing_record_exception",
            "invalidrecord",
            "Can't find data record in database table external_functions.",
        ),
    }
}

fn contents(state: &mut State, course: &str) -> Answer {
    let site = state.site.clone();
    match state.courses.iter_mut().find(|it| it.id.to_string() == course) {
        None => refused(
            "dml_missing_record_exception",
            "invalidrecord",
            "Can't find data record in database table course.",
        ),
        Some(course) if course.is_hidden => refused(
            "moodle_exception",
            "errorcoursecontextnotvalid",
            "You cannot execute functions in the course context",
        ),
        Some(course) => {
            let answer = said(&file::sections(&site, course.id, &course.files));
            if let Some(change) = course.after_listing.take() {
                change.0(&mut course.files);
            }
            answer
        }
    }
}

fn bytes(state: &mut State, request: &Request) -> Answer {
    let wrong = |code: &str, message: &str| json!({ "error": message, "errorcode": code, "stacktrace": null });
    if request.parameter("token") != TOKEN {
        state.seen.push("a file with a wrong key".to_owned());
        return said(&wrong("invalidtoken", "Invalid token - token not found"));
    }
    let files = state.courses.iter().flat_map(|it| it.files.iter().map(|file| (it.id, file)));
    let found =
        files.into_iter().find(|(course, file)| file::is_meant(request.path(), *course, file));
    let Some(file) = found.map(|(_, file)| file.clone()) else {
        state.seen.push("a file that is not there".to_owned());
        let answer = said(&wrong("filenotfound", "File not found"));
        return Answer { status: 404, ..answer };
    };
    let from = request
        .headers
        .get("range")
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
    state.seen.push(match from {
        Some(from) => format!("{} from {from}", file.name),
        None => file.name.clone(),
    });
    let trick = state.tricks.remove(&file.name);
    if let Some(Trick::Say(status, kind, body)) = trick {
        return text(status, kind, &body);
    }
    let from =
        from.and_then(|from| from.parse().ok()).filter(|_| !matches!(trick, Some(Trick::Whole)));
    let (cut, dies) = match trick {
        Some(Trick::Cut(cut)) => (Some(cut), false),
        Some(Trick::Die(cut)) => (Some(cut), true),
        _ => (None, false),
    };
    Answer { cut, dies, ..file_from(&file, from) }
}

/// The whole file, or what is behind a place.
fn file_from(file: &File, from: Option<usize>) -> Answer {
    let size = file.bytes.len();
    if from.is_some_and(|from| from >= size) {
        return text(416, "text/plain", "no such range");
    }
    let changed = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(file.changed));
    let mut headers = vec![
        ("Content-Type", file.mimetype.unwrap_or("text/html").to_owned()),
        ("Content-Disposition", "attachment".to_owned()),
        ("Accept-Ranges", "bytes".to_owned()),
        ("Last-Modified", changed),
    ];
    let (status, body) = match from {
        Some(from) => {
            headers.push(("Content-Range", format!("bytes {from}-{}/{size}", size - 1)));
            (206, file.bytes[from..].to_vec())
        }
        None => (200, file.bytes.clone()),
    };
    Answer { status, headers, body, ..Answer::default() }
}

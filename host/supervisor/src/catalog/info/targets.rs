//! The targets of a plugin, in all the forms in which they are written: a name, a list of names, a list of lists, a list of
//! name, version and architecture. Null stands for any, in every position.

use serde_json::Value;

use super::{Fault, Kind, named};

/// The most targets of one plugin.
const MAX_TARGETS: usize = 256;
/// The longest name of one.
const MAX_NAME: usize = 64;
/// The architectures that templates know: what tells one system from a list of names.
const ARCHITECTURES: [&str; 7] =
    ["i386", "x86_64", "ppc64", "ppc64le", "aarch64", "armv7l", "s390x"];

/// Reads `targets`; what is wrong goes to the faults.
pub(super) fn read(
    kind: Kind,
    targets: &Value,
    faults: &mut Vec<Fault>,
) -> Vec<Vec<Option<String>>> {
    let mut wrong = |place: &str, problem: String| {
        faults.push(Fault { place: place.to_owned(), problem });
    };
    let listed = match targets {
        Value::String(_) => std::slice::from_ref(targets),
        Value::Array(all) if kind == Kind::Os && is_one_system(all) => {
            std::slice::from_ref(targets)
        }
        Value::Array(all) => all,
        other => {
            wrong("/targets", format!("it is {}, not a list of targets", named(other)));
            return Vec::new();
        }
    };
    if listed.is_empty() {
        wrong("/targets", "it is empty, so nothing would be built".to_owned());
    }
    if listed.len() > MAX_TARGETS {
        wrong("/targets", format!("{} targets; at most {MAX_TARGETS} are read", listed.len()));
        return Vec::new();
    }
    let whole = std::ptr::eq(listed, std::slice::from_ref(targets));
    let mut read = Vec::with_capacity(listed.len());
    for (number, target) in listed.iter().enumerate() {
        let place = if whole { "/targets".to_owned() } else { format!("/targets/{number}") };
        match one(kind, target, &place) {
            // Said twice is said once.
            Ok(target) if read.contains(&target) => {}
            Ok(target) => read.push(target),
            Err(more) => faults.extend(more),
        }
    }
    read
}

/// Name, version and architecture of one system, and no list of names.
fn is_one_system(all: &[Value]) -> bool {
    let flat = all.iter().all(|one| one.is_string() || one.is_null());
    let told =
        |one: &Value| one.is_null() || one.as_str().is_some_and(|it| ARCHITECTURES.contains(&it));
    flat && (all.iter().any(Value::is_null) || (all.len() == 3 && all.last().is_some_and(told)))
}

/// One target, or all that is wrong with it.
fn one(kind: Kind, target: &Value, place: &str) -> Result<Vec<Option<String>>, Vec<Fault>> {
    let (most, form) = match kind {
        Kind::Os => (3, "[name, version, architecture]"),
        Kind::Cloud => (1, "a name, or a list of one"),
    };
    let wrong = |problem: String| Err(vec![Fault { place: place.to_owned(), problem }]);
    let positions = match target {
        Value::String(_) => {
            return position(target, place).map(|name| vec![name]).map_err(|fault| vec![fault]);
        }
        Value::Array(positions) => positions,
        other => return wrong(format!("it is {}; write {form}", named(other))),
    };
    if positions.is_empty() {
        return wrong(format!("it is empty; write {form}"));
    }
    if positions.len() > most {
        return wrong(format!("it has {} positions, at most {most}", positions.len()));
    }
    let (mut read, mut faults) = (Vec::with_capacity(positions.len()), Vec::new());
    for (at, value) in positions.iter().enumerate() {
        match position(value, &format!("{place}/{at}")) {
            Ok(name) => read.push(name),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(read) } else { Err(faults) }
}

/// A name, or any.
fn position(value: &Value, place: &str) -> Result<Option<String>, Fault> {
    let wrong = |problem: String| Err(Fault { place: place.to_owned(), problem });
    match value {
        Value::Null => Ok(None),
        Value::String(name) => {
            let fits = !name.is_empty() && name.len() <= MAX_NAME;
            if fits && !name.chars().any(char::is_control) {
                return Ok(Some(name.clone()));
            }
            wrong(format!("a name has 1 to {MAX_NAME} printable bytes"))
        }
        other => wrong(format!("it is {}, not a name or null", named(other))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(kind: Kind, targets: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        let read = read(kind, targets, &mut faults);
        assert_eq!(faults, [], "{targets}");
        let word = |it: &Option<String>| it.clone().unwrap_or_else(|| "*".to_owned());
        read.iter().map(|target| target.iter().map(word).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn names_lists_and_lists_of_lists_say_the_same() {
        for targets in [json!("ec2"), json!(["ec2"]), json!([["ec2"]]), json!(["ec2", ["ec2"]])] {
            assert_eq!(words(Kind::Cloud, &targets), ["ec2"], "{targets}");
        }
        assert_eq!(words(Kind::Cloud, &json!(["a", "b", "c"])), ["a", "b", "c"]);
    }

    #[test]
    fn systems_have_wildcards_in_every_position() {
        let all = json!([["Fedora", "16", "x86_64"], [null, "7", null], ["RHEL"], "Debian"]);
        assert_eq!(words(Kind::Os, &all), ["Fedora 16 x86_64", "* 7 *", "RHEL", "Debian"]);
        assert_eq!(words(Kind::Os, &json!(["Fedora", "16", "x86_64"])), ["Fedora 16 x86_64"]);
        assert_eq!(words(Kind::Os, &json!(["Fedora", null, null])), ["Fedora * *"]);
        assert_eq!(words(Kind::Os, &json!(["Fedora", "RHEL", "CentOS"])).len(), 3);
    }

    #[test]
    fn what_is_too_much_or_nothing_is_refused() {
        let many: Vec<String> = (0..257).map(|number| format!("t{number}")).collect();
        for (targets, place) in [
            (json!([]), "/targets"),
            (json!(many), "/targets"),
            (json!(7), "/targets"),
            (json!([["a", "b", "c", "d"]]), "/targets/0"),
            (json!(["x".repeat(65)]), "/targets/0"),
            (json!([["a\n"]]), "/targets/0/0"),
        ] {
            let mut faults = Vec::new();
            assert_eq!(read(Kind::Cloud, &targets, &mut faults), Vec::<Vec<_>>::new());
            assert_eq!(faults.iter().map(|it| it.place.as_str()).collect::<Vec<_>>(), [place]);
        }
    }
}

//! Which value of a setting counts: that of one run, else the repository's, else the plugin's own default, which the
//! plugin fills in. Pure; the schema looks at the outcome.

use serde_json::{Map, Value};
use wharf_supervisor::Role;

use super::settings::{Fault, refused};

use crate::problem::Problem;

/// Settings that say what a distributor is to others. They cannot be different for one run.
const FIXED: [&str; 2] = ["path", "after"];

/// The settings of one run. `null` takes the repository's value away, so that the plugin's default counts.
///
/// # Errors
///
/// `usage.settings`, naming the fields that cannot be overridden.
pub(super) fn merge(
    role: Role,
    stored: &Map<String, Value>,
    overriding: &Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    let is_fixed = |key: &&String| role == Role::Distributor && FIXED.contains(&key.as_str());
    let faults: Vec<Fault> = overriding
        .keys()
        .filter(is_fixed)
        .map(|key| Fault {
            field: format!("/{key}"),
            message: "it cannot be different for one run; attach again to change it".to_owned(),
        })
        .collect();
    if !faults.is_empty() {
        return Err(refused(&faults));
    }
    let mut all = stored.clone();
    all.extend(overriding.clone());
    Ok(without_nulls(all))
}

/// `null` means: not set.
pub(crate) fn without_nulls(mut settings: Map<String, Value>) -> Map<String, Value> {
    settings.retain(|_key, value| !value.is_null());
    settings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn the_run_goes_before_the_repository_and_null_takes_away() {
        let stored = map(&json!({"url": "a", "depth": 5, "names": ["x"]}));
        let overriding = map(&json!({"url": "b", "depth": null}));
        let all = merge(Role::Distributor, &stored, &overriding).expect("good settings");
        assert_eq!(Value::Object(all), json!({"url": "b", "names": ["x"]}));
    }

    #[test]
    fn a_path_is_no_matter_of_one_run() {
        let overriding = map(&json!({"path": "elsewhere", "after": "a.b", "depth": 1}));
        let problem = merge(Role::Distributor, &Map::new(), &overriding).expect_err("refused");
        assert_eq!(
            (problem.code.as_str(), problem.at.as_deref()),
            ("usage.settings", Some("after, path"))
        );
        assert!(merge(Role::Importer, &Map::new(), &overriding).is_ok());
    }
}

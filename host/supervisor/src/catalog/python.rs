//! The Python that runs plugins of Image Factory, which name no program: one is looked for, never started to find out.

use std::path::{Path, PathBuf};

/// Where the SDK's own environment lies in a checkout.
const CHECKOUT: &str = "target/sdk/python/bin/python";
/// Where systems have theirs.
const USUAL: [&str; 2] = ["/usr/local/bin/python3", "/usr/bin/python3"];
/// An environment of a plugin's own, in its folder.
const OWN: &str = ".venv/bin/python";

/// Tells what to install where the SDK is missing, else goes on with it.
const START: &str = "\
import importlib.util, runpy, sys
try:
    found = importlib.util.find_spec('wharf.compat.imagefactory')
except ImportError:
    found = None
if found is None:
    sys.exit(f'{sys.argv[1]} is run by the SDK for Python, which {sys.executable} does not have: make an environment \
(python3 -m venv DIR), install the package wharf-sdk into it (DIR/bin/pip install; its source is the folder sdk/python of \
wharf), and name it: WHARF_PYTHON=DIR/bin/python')
runpy.run_module('wharf.compat.imagefactory', run_name='__main__', alter_sys=True)
";

/// The usual places.
pub(super) fn usual(checkout: Option<&Path>) -> Vec<PathBuf> {
    let own = checkout.map(|checkout| checkout.join(CHECKOUT));
    own.into_iter().chain(USUAL.map(PathBuf::from)).collect()
}

/// The interpreter for a plugin in this folder: its own environment's, else the first of these.
///
/// # Errors
/// There is none: where was looked, and what to do.
pub(super) fn find(folder: &Path, places: &[PathBuf]) -> Result<PathBuf, String> {
    let own = folder.join(OWN);
    let looked = std::iter::once(&own).chain(places);
    if let Some(found) = looked.clone().find(|place| place.is_file()) {
        return Ok(found.clone());
    }
    let looked: Vec<String> = looked.map(|place| place.display().to_string()).collect();
    Err(format!(
        "it names no program, nor does one of its name lie beside it, and no Python was found to run it: neither {}; install python3 with wharf's SDK, or name an interpreter: WHARF_PYTHON",
        looked.join(" nor ")
    ))
}

/// The interpreter's arguments: the plugin's `.info`, and the text of its manifest. Nothing of the user's own environment is
/// read, and nothing is written beside the plugin.
pub(super) fn arguments(info: &Path, manifest: String) -> Vec<String> {
    let fixed = ["-I", "-B", "-c", START].map(str::to_owned);
    fixed.into_iter().chain([info.display().to_string(), manifest]).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_plugins_own_environment_comes_first_and_none_is_told() {
        let home = tempfile::tempdir().unwrap();
        let given = home.path().join("python");
        let none = find(home.path(), std::slice::from_ref(&given)).unwrap_err();
        assert!(none.contains(".venv/bin/python") && none.contains("WHARF_PYTHON"), "{none}");
        fs::write(&given, "").unwrap();
        assert_eq!(find(home.path(), std::slice::from_ref(&given)), Ok(given.clone()));
        let own = home.path().join(OWN);
        fs::create_dir_all(own.parent().unwrap()).unwrap();
        fs::write(&own, "").unwrap();
        assert_eq!(find(home.path(), &[given]), Ok(own));
    }
}

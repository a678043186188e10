//! What is installed in the end, and what the system calls itself.

use serde::Serialize;

/// A unit's list of packages may be so long, in bytes of JSON.
const MAX_BYTES: usize = 512 << 10;

/// An installed package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Package {
    name: String,
    version: String,
    architecture: String,
}

/// Reads what `dpkg-query` wrote: state, name, version, architecture.
pub(super) fn read(text: &str) -> Vec<Package> {
    let package = |line: &str| {
        let mut fields = line.split('\t').map(|field| field.trim().to_owned());
        let (state, name) = (fields.next()?, fields.next()?);
        let (version, architecture) = (fields.next()?, fields.next()?);
        (state == "ii").then_some(Package { name, version, architecture })
    };
    text.lines().filter_map(package).collect()
}

/// The list if a unit may hold it.
pub(super) fn within_limit(packages: Vec<Package>) -> Option<Vec<Package>> {
    let size = serde_json::to_vec(&packages).map_or(usize::MAX, |json| json.len());
    (size <= MAX_BYTES).then_some(packages)
}

/// `PRETTY_NAME`. Source: os-release(5).
pub(super) fn pretty_name(text: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_packages_are_listed_and_removed_ones_are_not() {
        let packages = read("ii \tbash\t5.2\tamd64\nrc \told\t1\tall\nbroken\n");
        let bash = || Package {
            name: "bash".to_owned(),
            version: "5.2".to_owned(),
            architecture: "amd64".to_owned(),
        };
        assert_eq!(packages, [bash()]);
        assert_eq!(within_limit(vec![bash()]), Some(vec![bash()]));
        assert_eq!(within_limit(vec![bash(); 20_000]), None);
    }

    #[test]
    fn a_system_says_what_it_is_called() {
        let text = "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(pretty_name(text).as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
        assert_eq!(pretty_name("PRETTY_NAME=\n"), None);
    }
}

//! Packages of a template, as apt takes them.

use wharf_sdk::{Context, Error};
use wharf_template::Package;

/// The names that apt is asked for. What TDL can say of a package besides is for other systems' tools: a warning.
pub(super) async fn names(packages: &[Package], context: &Context) -> Result<Vec<String>, Error> {
    let mut names = Vec::with_capacity(packages.len());
    for package in packages {
        names.push(name(&package.name)?);
        if package.file.is_some() || !package.arguments.is_empty() {
            let text =
                "apt decides on files and arguments of packages; the template's are left out";
            context.warn("config.package", text, &package.name).await?;
        }
    }
    Ok(names)
}

/// A name, with a version or an architecture if there is one. Source: Debian policy, 5.6.1, and apt-get(8).
pub(super) fn name(text: &str) -> Result<String, Error> {
    let first = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if first && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.:=~/".contains(c)) {
        return Ok(text.to_owned());
    }
    Err(Error::usage("config.package", format!("{text:?} is no name of a package")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_a_name_and_never_an_option() {
        for good in ["nginx", "libstdc++6", "g++:i386", "curl=7.88.1-10", "curl/bookworm"] {
            assert_eq!(name(good).unwrap(), good);
        }
        for bad in ["--purge", "a b", "a,b", "", "?essential", "../x.deb", "Nginx"] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}

//! Debian and its kin: what a release is called, and what makes it boot.

use wharf_sdk::Error;
use wharf_template::Os;

/// Releases by number. Source: the projects' own lists of releases.
const SUITES: &[(&str, &str, &str)] = &[
    ("Debian", "10", "buster"),
    ("Debian", "11", "bullseye"),
    ("Debian", "12", "bookworm"),
    ("Debian", "13", "trixie"),
    ("Debian", "14", "forky"),
    ("Ubuntu", "20.04", "focal"),
    ("Ubuntu", "22.04", "jammy"),
    ("Ubuntu", "24.04", "noble"),
];

/// Releases whose package systemd still holds boot loader and resolver.
const SYSTEMD_IN_ONE: &[&str] = &["buster", "bullseye", "focal", "jammy"];

/// A release for one architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct System {
    pub(crate) suite: String,
    /// As dpkg calls it.
    pub(crate) architecture: &'static str,
    is_ubuntu: bool,
}

impl System {
    pub(crate) fn of(os: &Os) -> Result<Self, Error> {
        let is_ubuntu = os.name.eq_ignore_ascii_case("Ubuntu");
        Ok(Self { suite: suite(os)?, architecture: architecture(&os.arch)?, is_ubuntu })
    }

    /// The part of the mirror that packages come from.
    pub(crate) fn components(&self) -> &'static str {
        if self.is_ubuntu { "main universe" } else { "main" }
    }

    /// What is installed so that the disk boots, finds its network and can be logged in to.
    pub(crate) fn boot_packages(&self, kernel: &str) -> Vec<String> {
        let usual = match (self.is_ubuntu, self.architecture) {
            (true, _) => "linux-image-virtual".to_owned(),
            (false, "i386") => "linux-image-686-pae".to_owned(),
            (false, architecture) => format!("linux-image-{architecture}"),
        };
        let kernel = if kernel.is_empty() { usual } else { kernel.to_owned() };
        let mut packages = vec![kernel];
        packages.extend(
            ["systemd-sysv", "udev", "dbus", "e2fsprogs", "initramfs-tools", "login"]
                .map(str::to_owned),
        );
        if !SYSTEMD_IN_ONE.contains(&self.suite.as_str()) {
            packages.extend(["systemd-boot-efi", "systemd-resolved"].map(str::to_owned));
        }
        packages
    }

    /// The boot loader in the tree, and what firmware looks for. Source: UEFI specification, 3.5.1.1.
    pub(crate) fn boot_loader(&self) -> Result<(&'static str, &'static str), Error> {
        match self.architecture {
            "amd64" => Ok(("systemd-bootx64.efi", "BOOTX64.EFI")),
            "i386" => Ok(("systemd-bootia32.efi", "BOOTIA32.EFI")),
            "arm64" => Ok(("systemd-bootaa64.efi", "BOOTAA64.EFI")),
            other => {
                let message = format!("a disk for {other} cannot be made to boot; give boot=none");
                Err(Error::usage("config.boot", message).at_field("/boot"))
            }
        }
    }
}

fn suite(os: &Os) -> Result<String, Error> {
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c))
    };
    if is_name(&os.version) {
        return Ok(os.version.clone());
    }
    // Debian 12.5 is a state of Debian 12; an Ubuntu is named by year and month.
    let major = os.version.split('.').next().unwrap_or_default();
    let named = |(name, version, _): &&(&str, &str, &str)| {
        os.name.eq_ignore_ascii_case(name)
            && (*version == os.version || (*name == "Debian" && *version == major))
    };
    if let Some((_, _, suite)) = SUITES.iter().find(named) {
        return Ok((*suite).to_owned());
    }
    let message = format!(
        "{} {} is not known by number; give os/version the name of the release, such as bookworm",
        os.name, os.version
    );
    Err(Error::usage("config.version", message))
}

fn architecture(arch: &str) -> Result<&'static str, Error> {
    Ok(match arch {
        "x86_64" => "amd64",
        "i386" => "i386",
        "aarch64" => "arm64",
        "armv7l" => "armhf",
        "ppc64le" => "ppc64el",
        "s390x" => "s390x",
        other => {
            let message = format!("there is no Debian for {other}");
            return Err(Error::usage("config.arch", message));
        }
    })
}

#[cfg(test)]
mod tests {
    use wharf_template::{Form, Template};

    use super::*;

    fn os(name: &str, version: &str, arch: &str) -> Os {
        let text = format!(
            r#"{{"name":"x","os":{{"name":"{name}","version":"{version}","arch":"{arch}","install":{{"type":"url","url":"http://m.example/"}}}}}}"#
        );
        Template::read(text.as_bytes(), Form::Json).unwrap().os
    }

    #[test]
    fn releases_are_known_by_number_and_by_name() {
        for (name, version, suite) in [
            ("Debian", "12", "bookworm"),
            ("debian", "12.5", "bookworm"),
            ("Debian", "sid", "sid"),
            ("Ubuntu", "22.04", "jammy"),
        ] {
            assert_eq!(System::of(&os(name, version, "x86_64")).unwrap().suite, suite);
        }
        for (name, version) in
            [("Debian", "99"), ("Ubuntu", "22"), ("Debian", "Bookworm"), ("Debian", "a b")]
        {
            assert!(System::of(&os(name, version, "x86_64")).is_err(), "{name} {version}");
        }
    }

    #[test]
    fn each_release_gets_what_makes_it_boot() {
        let bookworm = System::of(&os("Debian", "12", "x86_64")).unwrap();
        let packages = bookworm.boot_packages("");
        assert_eq!(packages[0], "linux-image-amd64");
        assert!(packages.contains(&"systemd-boot-efi".to_owned()));
        let jammy = System::of(&os("Ubuntu", "22.04", "aarch64")).unwrap();
        let packages = jammy.boot_packages("linux-image-kvm");
        assert_eq!(packages[0], "linux-image-kvm");
        assert!(!packages.contains(&"systemd-boot-efi".to_owned()), "jammy has it in systemd");
        assert_eq!(jammy.boot_loader().unwrap().1, "BOOTAA64.EFI");
        assert!(System::of(&os("Debian", "12", "s390x")).unwrap().boot_loader().is_err());
        assert!(System::of(&os("Debian", "12", "ppc64")).is_err());
    }
}

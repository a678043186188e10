//! What a file of metadata stands for: the manifest of a plugin with the components that its delegate can be.
//!
//! An os plugin is a builder that installs systems; a cloud plugin is a builder that makes images for targets, with a say
//! before the step and a word after it, and a distributor that brings images to providers.

use std::path::Path;

use semver::Version;
use serde_json::{Value, json};

use super::{Info, Kind};
use crate::catalog::manifest::Manifest;
use crate::error::Error;

impl Info {
    /// The manifest and its text, which the plugin goes by. `file` is the `.info`; its name is the plugin's.
    ///
    /// # Errors
    /// `config`: the name of the file is none of a plugin.
    pub(crate) fn manifest(&self, file: &Path) -> Result<(Manifest, String), Error> {
        let legacy = file.file_stem().unwrap_or_default().to_string_lossy();
        let document = json!({
            "manifest_version": 1,
            "name": name(&legacy),
            "version": version(&self.version),
            "description": self.description,
            "license": self.license,
            "maintainer": self.maintainer,
            "type": match self.kind { Kind::Os => "os", Kind::Cloud => "cloud" },
            "targets": self.targets,
            "protocol": { "versions": wharf_proto::APP_PROTOCOL_VERSIONS },
            "executable": {},
            "components": self.components(&legacy),
            "legacy": { "names": [legacy] },
        });
        let text = document.to_string();
        let (manifest, _unknown) = Manifest::parse(file, &text)?;
        Ok((manifest, text))
    }

    fn components(&self, name: &str) -> Value {
        let builder = |id: &str, produces: &[&str], hooks: Value| {
            json!({
                "id": id, "role": "builder", "profile": id, "name": name,
                "description": self.description, "operations": ["build"], "targets": self.targets,
                "produces": produces, "hooks": hooks, "arguments_schema": anything(),
                "instance_schema": anything(),
            })
        };
        match self.kind {
            Kind::Os => json!([builder("os", &["image_base", "image_target"], json!([]))]),
            Kind::Cloud => json!([
                builder("cloud", &["image_target", "image_provider"], self.hooks()),
                {
                    "id": "push", "role": "distributor", "profile": "push", "name": name,
                    "description": self.description, "operations": ["publish", "unpublish"],
                    "targets": self.targets, "instance_schema": provider(),
                    "arguments_schema": anything(),
                },
            ]),
        }
    }

    /// One before and one after the step for each target that has a name.
    fn hooks(&self) -> Value {
        let names = self.targets.iter().filter_map(|target| target.first()?.as_ref());
        let hook = |on: &str, target: &str| json!({ "on": on, "filter": { "target": target } });
        let both = names.flat_map(|name| {
            ["before:build.target", "after:build.target"].map(|on| hook(on, name))
        });
        both.collect()
    }
}

/// Parameters are between the user and the plugin, and so are values of the configuration, an instance's settings.
fn anything() -> Value {
    json!({ "type": "object", "additionalProperties": true })
}

/// What a plugin is told of a provider.
fn provider() -> Value {
    json!({
        "type": "object",
        "additionalProperties": true,
        "required": ["provider"],
        "properties": {
            "provider": {
                "type": "string",
                "title": "Provider",
                "description": "What the plugin wants to know of the provider: a name, JSON or XML, as its own text says.",
            },
            "credentials": {
                "type": "string",
                "format": "secret",
                "title": "Credentials",
                "description": "The name of a secret of the host that holds what the plugin logs in with, XML or JSON: NAME or {\"secret\": NAME}.",
            },
        },
    })
}

/// A name as plugins have one here: small letters, digits and dashes, a letter first.
pub(in crate::catalog) fn name(legacy: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let made: String = legacy.chars().map(legal).collect();
    let made = made.trim_matches('-');
    if made.starts_with(|first: char| first.is_ascii_lowercase()) {
        made.to_owned()
    } else {
        format!("imagefactory-{made}").trim_end_matches('-').to_owned()
    }
}

/// As Semantic Versioning has it: by the first three numbers, where it is none by itself.
fn version(text: &str) -> Version {
    if let Ok(version) = Version::parse(text.trim()) {
        return version;
    }
    let numbers = text.split(|c: char| !c.is_ascii_digit());
    let mut numbers = numbers.filter_map(|digits| digits.parse::<u64>().ok());
    let mut next = || numbers.next().unwrap_or_default();
    Version::new(next(), next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(file: &str, text: &str) -> Manifest {
        Info::read(text).unwrap().manifest(Path::new(file)).unwrap().0
    }

    #[test]
    fn an_os_plugin_is_a_builder_that_installs_systems() {
        let text = r#"{"type": "os", "targets": [["Fedora", null, "x86_64"]], "version": "1.0"}"#;
        let manifest = manifest("/p/TinMan.info", text);
        assert_eq!(
            (manifest.name.as_str(), manifest.version.to_string()),
            ("tinman", "1.0.0".into())
        );
        assert_eq!(manifest.legacy.names, ["TinMan"]);
        let [os] = manifest.components.as_slice() else { panic!("one component") };
        assert_eq!((os.id.as_str(), os.profile.as_str()), ("os", "os"));
        assert_eq!(os.targets, [json!(["Fedora", null, "x86_64"])]);
        assert!(os.offers("build") && os.hooks.is_empty());
    }

    #[test]
    fn a_cloud_plugin_is_a_builder_with_hooks_and_a_distributor() {
        let text = r#"{"type": "cloud", "targets": ["ec2", [null]], "description": "d"}"#;
        let manifest = manifest("EC2-Cloud.info", text);
        assert_eq!(manifest.name, "ec2-cloud");
        let ids: Vec<_> = manifest.components.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids, ["cloud", "push"]);
        let hooks: Vec<_> = manifest.components[0].hooks.iter().map(|it| it.on.as_str()).collect();
        assert_eq!(hooks, ["before:build.target", "after:build.target"]);
        assert!(manifest.components[1].offers("unpublish"));
    }

    #[test]
    fn names_and_versions_are_made_what_they_must_be() {
        for (legacy, ours) in [("MockOS", "mockos"), ("2nd", "imagefactory-2nd"), ("a_b", "a-b")] {
            assert_eq!(name(legacy), ours);
        }
        for (text, ours) in
            [("1.2.3-rc1", "1.2.3-rc1"), ("1", "1.0.0"), ("v2.5", "2.5.0"), ("", "0.0.0")]
        {
            assert_eq!(version(text).to_string(), ours);
        }
    }
}

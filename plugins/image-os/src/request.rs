//! What a build is asked for: template, parameters and settings, checked.

use std::time::Duration;

use serde::Deserialize;
use wharf_sdk::{BuildRequest, Error};
use wharf_template::{Form, Install, Template};

/// Parameters of one build.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    pub(crate) boot: Boot,
    pub(crate) variant: Option<String>,
    pub(crate) kernel: String,
    pub(crate) mirror: String,
    pub(crate) image_mirror: String,
    pub(crate) ssh_keys: Vec<String>,
    pub(crate) source_date_epoch: u64,
    pub(crate) timeout: Option<u64>,
}

/// Whether the disk boots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Boot {
    #[default]
    Uefi,
    None,
}

impl Boot {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Uefi => "uefi",
            Self::None => "none",
        }
    }
}

/// Settings of the instance.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) mirror: String,
    pub(crate) keyring: String,
}

/// Everything that a build works from.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub(crate) template: Template,
    pub(crate) parameters: Parameters,
    pub(crate) keyring: String,
    /// Where packages come from now.
    pub(crate) mirror: String,
    /// Where the image will take them from.
    pub(crate) image_mirror: String,
}

impl Recipe {
    pub(crate) fn read(request: &BuildRequest) -> Result<Self, Error> {
        let template = template(request)?;
        let mut parameters: Parameters = request.parameters()?;
        let settings: Settings = request.instance.settings()?;
        let Install::Url { url } = &template.os.install else {
            let message =
                "this builder installs from a mirror, not from a medium: give os/install type url";
            return Err(Error::usage("config.template", message));
        };
        let mirror = [&parameters.mirror, &settings.mirror].into_iter().find(|m| !m.is_empty());
        let mirror = mirror.unwrap_or(url).clone();
        let image_mirror = match parameters.image_mirror.as_str() {
            "" => url.clone(),
            other => other.to_owned(),
        };
        for address in [&mirror, &image_mirror] {
            if !address.contains("://") || address.contains(char::is_whitespace) {
                let message = format!("{address:?} is no address of a mirror");
                return Err(Error::usage("config.mirror", message).at_field("/mirror"));
            }
        }
        parameters.ssh_keys.retain(|key| !key.trim().is_empty());
        if parameters.ssh_keys.iter().any(|key| key.trim().contains('\n')) {
            let error = Error::usage("config.ssh_keys", "a public key is one line");
            return Err(error.at_field("/ssh_keys"));
        }
        Ok(Self { template, parameters, keyring: settings.keyring, mirror, image_mirror })
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.parameters.timeout.map_or(Duration::from_hours(1), Duration::from_secs)
    }

    pub(crate) fn variant(&self) -> &str {
        self.parameters.variant.as_deref().unwrap_or("minbase")
    }
}

fn template(request: &BuildRequest) -> Result<Template, Error> {
    if request.template_type != wharf_template::MEDIA_TYPE {
        let message = format!(
            "a template is {}, not {:?}",
            wharf_template::MEDIA_TYPE,
            request.template_type
        );
        return Err(Error::usage("config.template", message));
    }
    Template::read(&request.template, Form::Json).map_err(|problems| {
        Error::usage("config.template", format!("the template cannot be used:\n{problems}"))
    })
}

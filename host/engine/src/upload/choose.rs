//! Which importer of a repository takes what users bring.

use wharf_store::model::{Attachment, Repository};

use crate::engine::Inner;
use crate::instances::Address;
use crate::problem::Problem;

impl Inner {
    /// The one attached importer that offers `upload`, for this type if one is named.
    ///
    /// # Errors
    ///
    /// `not_found.uploader` when there is none, `usage.component` when there are several.
    pub(crate) async fn uploader(
        &self,
        repository: &Repository,
        component: Option<&str>,
        kind: &str,
    ) -> Result<Attachment, Problem> {
        let wanted = component.map(Address::parse).transpose()?;
        if !kind.is_empty()
            && !repository.types.is_empty()
            && !repository.types.iter().any(|it| it == kind)
        {
            let message = format!("repository {} takes no units of type {kind}", repository.name);
            return Err(Problem::usage("policy.type", message)
                .help(format!("it takes: {}", repository.types.join(", "))));
        }
        let mut fits = Vec::new();
        for attachment in self.store.meta.attachments(repository.id).await? {
            let address = Address::parse(&attachment.component)?;
            let named = wanted.as_ref().is_none_or(|wanted| {
                wanted.component() == attachment.component && wanted.instance == attachment.instance
            });
            let Ok((_plugin, component)) = self.component(&address) else { continue };
            let uploads = component.operations.iter().any(|operation| operation == "upload");
            let makes = kind.is_empty() || component.content_types.iter().any(|it| it == kind);
            if named && uploads && makes {
                fits.push(attachment);
            }
        }
        if fits.len() > 1 {
            return Err(several(repository, &fits));
        }
        fits.pop().ok_or_else(|| self.none(repository, kind))
    }

    fn none(&self, repository: &Repository, kind: &str) -> Problem {
        let name = &repository.name;
        let what = if kind.is_empty() { String::new() } else { format!(" of type {kind}") };
        let message = format!("repository {name} has no importer that takes uploads{what}");
        let offer = self.catalog.plugins().iter().find_map(|plugin| {
            let component = plugin.manifest.components.iter().find(|component| {
                component.operations.iter().any(|operation| operation == "upload")
                    && (kind.is_empty() || component.content_types.iter().any(|it| it == kind))
            })?;
            Some(format!("{}.{}", plugin.manifest.name, component.id))
        });
        let problem = Problem::usage("not_found.uploader", message);
        match offer {
            Some(offer) => problem.help(format!(
                "attach one, for example `wharf attach {name} {offer}`; it needs no source"
            )),
            None => problem.help("`wharf plugin list` shows what is installed"),
        }
    }
}

fn several(repository: &Repository, fits: &[Attachment]) -> Problem {
    let names: Vec<String> = fits
        .iter()
        .map(|it| match it.instance.as_str() {
            "default" => it.component.clone(),
            instance => format!("{}@{instance}", it.component),
        })
        .collect();
    let message = format!("repository {} has several importers that take this", repository.name);
    Problem::usage("usage.component", message)
        .help(format!("name one with --component: {}", names.join(", ")))
}

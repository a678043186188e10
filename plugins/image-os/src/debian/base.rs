//! Stage base: a fresh system, from packages to disk.

use wharf_sdk::{Contribution, Error, Unit};
use wharf_template::Repository;

use super::{Build, host_name, packages, text};
use crate::bootstrap::Bootstrap;
use crate::request::Boot;
use crate::sources;
use crate::steps::Steps;

const FSTAB: &str =
    "LABEL=root / ext4 errors=remount-ro 0 1\nLABEL=ESP /boot/efi vfat umask=0077 0 2\n";
const NETWORK: &str = "[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n";
const ESP_HOOK: &[u8] = include_bytes!("../scripts/esp.sh");
/// Where kernels and initial file systems call scripts after they changed.
const ESP_HOOKS: [&str; 2] =
    ["/etc/kernel/postinst.d/zz-wharf-esp", "/etc/initramfs/post-update.d/zz-wharf-esp"];

impl Build<'_> {
    /// `given`: what hooks add to the template.
    pub(super) async fn base(&self, given: &[Contribution]) -> Result<Unit, Error> {
        let steps = self.steps()?;
        let (recipe, template) = (&self.recipe, &self.recipe.template);
        for command in &template.precommands {
            steps.script(self.context, "precommands", &command.name, &command.content).await?;
        }
        for file in &template.files {
            steps.file(self.context, "files", &file.name, &file.content).await?;
        }
        for command in &template.commands {
            steps.script(self.context, "commands", &command.name, &command.content).await?;
        }
        let additions = self.additions(&steps, given)?;
        self.own_files(&steps)?;
        let mut include = packages::names(&template.packages, self.context).await?;
        include.extend(additions.packages);
        let repositories = [template.repositories.as_slice(), &additions.repositories].concat();
        if recipe.parameters.boot == Boot::Uefi {
            include.extend(self.system.boot_packages(&recipe.parameters.kernel));
        }
        let options = self.repositories(&steps, &repositories)?;
        let image = sources::mirror_line(&recipe.image_mirror, &self.system);
        steps.write("sources.image", &text(&[image]))?;
        let bootstrap = Bootstrap {
            recipe,
            system: &self.system,
            sandbox: self.sandbox,
            steps: &steps,
            sources: &self.sources(&repositories)?,
            options: &options,
            include: &include,
            has_parent: false,
            fetches: true,
        };
        bootstrap.run(self.context, &self.archive()).await?;
        self.finish("image_base", &steps).await
    }

    /// Lines of everything that packages come from during the build.
    pub(super) fn sources(&self, repositories: &[Repository]) -> Result<Vec<String>, Error> {
        let mut lines = vec![sources::mirror_line(&self.recipe.mirror, &self.system)];
        for repository in repositories {
            lines.push(sources::repository_line(repository, &self.system)?);
        }
        Ok(lines)
    }

    /// Lays ready what the image keeps of its repositories, and what only the build's commands see; answers the options
    /// of apt for the build.
    pub(super) fn repositories(
        &self,
        steps: &Steps,
        repositories: &[Repository],
    ) -> Result<Vec<String>, Error> {
        let (mut passing, mut kept_servers, mut servers) = (Vec::new(), Vec::new(), Vec::new());
        for repository in repositories {
            let line = sources::repository_line(repository, &self.system)?;
            let server = sources::unchecked_server(repository);
            if repository.persisted {
                let name = format!("repositories/{}", sources::file_name(repository));
                steps.write(&name, &text(&[line]))?;
                kept_servers.extend(server.clone());
            } else {
                passing.push(line);
            }
            servers.extend(server);
        }
        steps.write("sources.build", &text(&passing))?;
        steps.write("servers", &text(&kept_servers))?;
        Ok(servers)
    }

    /// What every image of this builder has.
    fn own_files(&self, steps: &Steps) -> Result<(), Error> {
        let (recipe, template) = (&self.recipe, &self.recipe.template);
        let host = host_name(&template.name);
        let hosts = format!(
            "127.0.0.1 localhost\n127.0.1.1 {host}\n::1 localhost ip6-localhost ip6-loopback\n"
        );
        steps.file_of("own", "/etc/hostname", format!("{host}\n").as_bytes())?;
        steps.file_of("own", "/etc/hosts", hosts.as_bytes())?;
        if let Some(password) = &template.os.rootpw {
            steps.write("rootpw", format!("root:{password}\n").as_bytes())?;
        }
        if !recipe.parameters.ssh_keys.is_empty() {
            let keys: Vec<String> =
                recipe.parameters.ssh_keys.iter().map(|key| key.trim().to_owned()).collect();
            steps.file_of("own", "/root/.ssh/authorized_keys", &text(&keys))?;
            steps.write("keys", b"")?;
        }
        if recipe.parameters.boot == Boot::Uefi {
            steps.write("boots", b"")?;
            steps.file_of("own", "/etc/fstab", FSTAB.as_bytes())?;
            steps.file_of("own", "/etc/systemd/network/80-wharf.network", NETWORK.as_bytes())?;
            for name in ESP_HOOKS {
                steps.file_of("own", name, ESP_HOOK)?;
            }
        }
        Ok(())
    }
}

//! `wharf build`, `wharf targets` and `wharf image ...`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Callbacks, Setting, Waiting};

/// `wharf build`
#[derive(Debug, Args)]
#[command(after_help = "\
A template says what system is installed and what is put into it: TDL, as
Image Factory and Oz have it, or the same as TOML or JSON. First the base image
is built, then what each target takes. A base image that was made the same way
is used again. `wharf targets` tells what can be built, and by whom.

Examples:
  wharf build web.tdl                                    the base image alone
  wharf build web.tdl --target vsphere --target docker
  wharf build web.tdl --target openstack-kvm --param timeout=1800
  wharf build --base 12 --target ova                     of a base image
  wharf build web.tdl --target oci --push registry       and bring it there
  wharf build web.tdl --callback https://ci.example.org --callback-secret ci")]
pub(crate) struct Build {
    /// The template: a file, or - for standard input
    #[arg(required_unless_present = "base", conflicts_with = "base")]
    pub(crate) template: Option<PathBuf>,
    /// Begin with this base image, by its number in `wharf image list`
    #[arg(long, value_name = "ID", requires = "targets")]
    pub(crate) base: Option<i64>,
    /// What to build for; may be given several times [default: only the base image]
    #[arg(long = "target", short, value_name = "TARGET")]
    pub(crate) targets: Vec<String>,
    /// A parameter of the components that build; may be given several times
    #[arg(long = "param", value_name = "KEY=VALUE")]
    pub(crate) parameters: Vec<Setting>,
    /// What the images of targets get besides: a file of `include` elements with
    /// packages and repositories, as in Image Factory
    #[arg(long, value_name = "FILE", requires = "targets")]
    pub(crate) additions: Option<PathBuf>,
    /// The repository that keeps the images, created when it is missing
    #[arg(long, value_name = "NAME", default_value = "images")]
    pub(crate) repo: String,
    /// Have this component build, whichever fits better; may be given several times
    #[arg(long = "builder", value_name = "COMPONENT")]
    pub(crate) builders: Vec<String>,
    /// Build the base image although there is one that was made the same way
    #[arg(long, conflicts_with = "base")]
    pub(crate) rebuild: bool,
    /// Bring the images to this provider, as far as it takes them; may be given several times
    #[arg(long, value_name = "PROVIDER", requires = "targets")]
    pub(crate) push: Vec<String>,
    /// Have this provider make the images itself, of the template: nothing is built here
    #[arg(long, value_name = "PROVIDER", requires = "targets",
          conflicts_with_all = ["base", "push", "additions", "rebuild"])]
    pub(crate) snapshot: Option<String>,
    /// Who is told.
    #[command(flatten)]
    pub(crate) callbacks: Callbacks,
    /// Whether to stay.
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// What can be done with images.
#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// List images of a repository, or of all
    List {
        /// The repository [default: all]
        name: Option<String>,
    },
    /// Show one image: how it was made, its files, and which versions hold it
    Show {
        /// Its number, as `wharf image list` tells it
        id: i64,
    },
    /// Write a file of an image to this machine
    Save(ImageSave),
    /// Make an image of a file that is there already
    Import(ImageImport),
    /// Bring a target image to a provider
    Push(ImagePush),
    /// Take an image away at its provider
    Unpublish(ImageUnpublish),
}

/// `wharf image import`
#[derive(Debug, Args)]
#[command(after_help = "\
What kind of file it is, its bytes tell. A base image is a qcow2 disk or a root
file system as tar.zst, and builds can begin with it: `wharf build --base ID`.

Examples:
  wharf image import debian-12.qcow2 --os Debian --os-version 12
  wharf image import web.vmdk --target vsphere")]
pub(crate) struct ImageImport {
    /// The file
    pub(crate) file: PathBuf,
    /// It holds this system: it becomes a base image
    #[arg(long, value_name = "NAME", requires = "os_version", required_unless_present = "target")]
    pub(crate) os: Option<String>,
    /// The system's version
    #[arg(long, value_name = "VERSION", requires = "os")]
    pub(crate) os_version: Option<String>,
    /// It is what this target takes: it becomes a target image
    #[arg(long, short, value_name = "TARGET", conflicts_with = "os")]
    pub(crate) target: Option<String>,
    /// The architecture
    #[arg(long, value_name = "ARCH", default_value = "x86_64")]
    pub(crate) arch: String,
    /// What the image is called [default: as the file, without its ending]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The repository that keeps it, created when it is missing
    #[arg(long, value_name = "NAME", default_value = "images")]
    pub(crate) repo: String,
}

/// `wharf image push`
#[derive(Debug, Args)]
#[command(after_help = "\
A provider is an instance of a component that pushes; `wharf targets` lists
those. What the provider calls the image is kept as an image of its own, which
`wharf image list` shows. What is there already is not pushed again.

Examples:
  wharf secret set registry
  wharf instance create registry image-push.oci-registry \\
    --set registry=https://registry.example.org --set username=me --set password=registry
  wharf image push 14 registry --param tag=v2")]
pub(crate) struct ImagePush {
    /// Its number, as `wharf image list` tells it
    pub(crate) id: i64,
    /// The provider: the name of an instance
    pub(crate) provider: String,
    /// A parameter of this push; may be given several times
    #[arg(long = "param", value_name = "KEY=VALUE")]
    pub(crate) parameters: Vec<Setting>,
    /// Push although the provider has it already
    #[arg(long)]
    pub(crate) again: bool,
    /// Who is told.
    #[command(flatten)]
    pub(crate) callbacks: Callbacks,
    /// Whether to stay.
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// `wharf image unpublish`
#[derive(Debug, Args)]
pub(crate) struct ImageUnpublish {
    /// Its number, as `wharf image list` tells it: that of the image at the provider
    pub(crate) id: i64,
    /// Whether to stay.
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// `wharf image save`
#[derive(Debug, Args)]
#[command(after_help = "\
The bytes are held against their SHA-256 before the file gets its name.

Examples:
  wharf image save 12                       into this folder, under its own name
  wharf image save 12 --file disk.qcow2 web.qcow2")]
pub(crate) struct ImageSave {
    /// Its number, as `wharf image list` tells it
    pub(crate) id: i64,
    /// Where to write; a folder takes the file under its own name
    #[arg(default_value = ".")]
    pub(crate) to: PathBuf,
    /// Which of its files [default: the first]
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<String>,
}

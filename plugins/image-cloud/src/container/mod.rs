//! Images of containers with one layer, which is the root file system of the base image.
//!
//! [`wishes`] are the parameters, [`layer`] writes the layer, [`config`] says how a container of it runs; [`oci`] and
//! [`docker`] put them together, each in one file that is written from front to back once.

mod config;
mod docker;
mod layer;
mod oci;
mod wishes;

use std::path::PathBuf;
use std::thread::available_parallelism;

use serde_json::Value;
use wharf_sdk::{BuildRequest, Context, Done};

use crate::maker::Make;
use crate::order::Order;
use crate::scratch::{Image, Scratch};
use crate::{Error, thread};
use layer::Recipe;
use wishes::Wishes;

/// Most GiB of a root file system, if nobody says otherwise.
pub(crate) const TREE_GIB: u64 = 64;

/// Which file is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// What `docker load` reads.
    Docker,
    /// An image layout of the Open Container Initiative, in a tar archive.
    Oci,
}

/// A builder of images of containers. `epoch`: the time to write into them if a build names none.
pub(crate) struct Containers {
    pub(crate) form: Form,
    pub(crate) epoch: Option<u64>,
}

/// What an image is made of, besides its layer.
struct Plan {
    recipe: Recipe,
    wishes: Wishes,
    name: String,
    description: String,
    architecture: config::Architecture,
    made: PathBuf,
}

impl Make for Containers {
    async fn make(&self, request: &BuildRequest, context: &Context) -> Result<Done, Error> {
        let order = Order::read(request, context)?;
        let (form, extension) = match self.form {
            Form::Docker => (docker::write as fn(&Plan, &_) -> _, "docker.tar"),
            Form::Oci => (oci::write as fn(&Plan, &_) -> _, "oci.tar"),
        };
        let scratch = Scratch::new(context)?;
        let made = scratch.image(&order, extension);
        let plan = self.plan(request, &order, made)?;
        let total = plan.recipe.tree_bytes()?;
        let work = move |watch: &_| form(&plan, watch);
        let limit = order.limit;
        let attributes: Value =
            thread::run(context, "writing the layer", total, limit, work).await?;
        let image = Image { extension, media_type: "application/x-tar", attributes };
        scratch.hand_over(context, &order, image).await
    }
}

impl Containers {
    fn plan(&self, request: &BuildRequest, order: &Order, made: PathBuf) -> Result<Plan, Error> {
        let target = match self.form {
            Form::Docker => "docker",
            Form::Oci => "oci",
        };
        let wishes = Wishes::read(request)?;
        let recipe = Recipe {
            tree: order.tree(target)?,
            excludes: wishes.excludes(),
            compression: wishes.compression(self.form)?,
            threads: available_parallelism().map_or(1, usize::from),
            most: order.most(TREE_GIB),
            newest: order.timestamp(self.epoch),
        };
        Ok(Plan {
            recipe,
            wishes,
            name: order.name.clone(),
            description: order.description.clone(),
            architecture: config::Architecture::of_kernel(&order.architecture),
            made,
        })
    }
}

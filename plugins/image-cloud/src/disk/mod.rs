//! Disks of virtual machines: the base image's disk, in the form that a target takes.
//!
//! [`header`] looks at the disk before a tool does, [`format`] says which form is wanted and how `qemu-img` is told so,
//! [`qemu`] runs it, [`gce`] packs a raw disk as Google's cloud takes it.

mod format;
mod gce;
pub mod header;
pub(crate) mod qemu;

pub(crate) use gce::Gce;

use wharf_sdk::{BuildRequest, Context, Done};

use crate::Error;
use crate::maker::Make;
use crate::order::Order;
use crate::scratch::{Image, Scratch};
pub(crate) use format::{Family, streaming};

/// A builder of one family of disk formats.
pub(crate) struct Disks(pub(crate) Family);

impl Make for Disks {
    async fn make(&self, request: &BuildRequest, context: &Context) -> Result<Done, Error> {
        let order = Order::read(request, context)?;
        let format = self.0.format(request)?;
        let (disk, header) = order.disk(format.driver.name)?;
        format.check_size(header.virtual_size)?;
        let scratch = Scratch::new(context)?;
        let made = scratch.image(&order, format.extension);
        let tool = qemu::convert(context, &order, &disk, &made, &format.driver).await?;
        let mut attributes = format.attributes;
        attributes["format"] = format.extension.into();
        attributes["virtual_size"] = header.virtual_size.into();
        attributes["tool"] = tool.into();
        let image =
            Image { extension: format.extension, media_type: format.media_type, attributes };
        scratch.hand_over(context, &order, image).await
    }
}

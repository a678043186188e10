//! A program that reads the tree as a tar archive from its standard input, and the thread that writes it there.

use std::fs::File;
use std::io::{self, BufWriter, PipeWriter};
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use wharf_sdk::Context;
use wharf_sdk::tool::{self, Command, Options};

use crate::order::Order;
use crate::tree::{self, Copied, Limits, Rules, Watch};
use crate::{Error, thread};

/// Bytes that are written at a time.
const BUFFER: usize = 256 << 10;

/// What is written.
pub(super) struct Feed {
    pub(super) tree: PathBuf,
    pub(super) rules: Rules,
    pub(super) limits: Limits,
}

impl Feed {
    /// Runs the program on the tree. When it returns, both have ended.
    ///
    /// # Errors
    /// What is wrong with the tree, else what the program fails with.
    pub(super) async fn run(
        self,
        context: &Context,
        order: &Order,
        command: Command,
    ) -> Result<Copied, Error> {
        let (reader, writer) = io::pipe().map_err(Error::io("making a pipe"))?;
        let reading = Error::io(format!("reading {}", tree::FILE));
        let input = File::open(&self.tree).map_err(reading)?;
        let total = input.metadata().map_or(0, |facts| facts.len());
        let command = command.stdin(format!("/proc/self/fd/{}", reader.as_raw_fd()));
        let options = Options::new("writing").limit(order.limit);
        let program = async move {
            let ran = tool::run(context, &command, &options).await;
            // Whoever still writes learns that nobody reads.
            drop(reader);
            ran
        };
        let work = move |watch: &Watch| write(input, writer, self.rules, self.limits, watch);
        let writing = thread::run(context, "writing", total, order.limit, work);
        let (ran, copied) = tokio::join!(program, writing);
        // A pipe that broke says only that the program ended.
        let is_sound = matches!(copied, Ok(_) | Err(Error::Io { .. } | Error::Cancelled));
        match ran {
            Err(failed) if is_sound => Err(failed.into()),
            _ => copied,
        }
    }
}

fn write(
    input: File,
    output: PipeWriter,
    rules: Rules,
    limits: Limits,
    watch: &Watch,
) -> Result<Copied, Error> {
    tree::copy(input, BufWriter::with_capacity(BUFFER, output), rules, limits, watch)
}

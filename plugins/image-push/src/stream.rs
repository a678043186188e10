//! Bytes of the image on their way out of the host's store, a chunk at a time, counted as they go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _, stream};
use wharf_sdk::{Artifact, Context, Error, Progress};

use crate::image::File;

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

/// Counts what was sent, for the job's progress.
#[derive(Clone)]
pub(crate) struct Meter {
    context: Context,
    sent: Arc<AtomicU64>,
    /// By this request alone.
    own: Arc<AtomicU64>,
    told: Arc<AtomicU64>,
    total: u64,
    name: Arc<str>,
}

impl Meter {
    pub(crate) fn new(context: &Context, file: &File) -> Self {
        let (sent, own, told) = (Arc::default(), Arc::default(), Arc::default());
        let name = Arc::from(file.name.as_str());
        Self { context: context.clone(), sent, own, told, total: file.size, name }
    }

    /// For one request more.
    pub(crate) fn request(&self) -> Self {
        Self { own: Arc::default(), ..self.clone() }
    }

    /// So much went out, or was found to be there.
    pub(crate) async fn add(&self, bytes: u64) {
        self.own.fetch_add(bytes, Ordering::Relaxed);
        let sent = self.sent.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.tell(sent).await;
    }

    /// What this request sent must go out again.
    pub(crate) fn back(&self) {
        self.sent.fetch_sub(self.own.swap(0, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// A part that is sent again is no step back.
    async fn tell(&self, sent: u64) {
        let sent = sent.min(self.total);
        let most = self.told.fetch_max(sent, Ordering::Relaxed).max(sent);
        let progress = Progress::new(most, self.total).unit("bytes").phase("uploading");
        self.context.progress(progress.activity(&self.name)).await;
    }
}

/// Opens a part of a file. It ends with an error when the host sends less.
pub(crate) fn read(
    context: &Context,
    file: &File,
    part: Part,
) -> impl Stream<Item = Result<Bytes, Error>> + Send + use<> {
    let context = context.clone();
    let digest = format!("sha256:{}", file.sha256);
    let opened = async move {
        let artifact = context.open_artifact(&digest, part.offset).await?;
        Ok::<_, Error>(stream::try_unfold((artifact, part.size), next))
    };
    stream::once(opened).try_flatten()
}

/// The same, counted.
pub(crate) fn metered(
    (context, meter): (&Context, &Meter),
    file: &File,
    part: Part,
) -> impl Stream<Item = Result<Bytes, Error>> + Send + use<> {
    let meter = meter.clone();
    read(context, file, part).and_then(move |bytes| {
        let meter = meter.clone();
        async move {
            meter.add(bytes.len() as u64).await;
            Ok(bytes)
        }
    })
}

async fn next(
    (mut artifact, left): (Artifact, u64),
) -> Result<Option<(Bytes, (Artifact, u64))>, Error> {
    if left == 0 {
        return Ok(None);
    }
    let Some(mut bytes) = artifact.next().await? else {
        let message = format!("the host's file ends {left} bytes early");
        return Err(Error::operation("storage.short", message));
    };
    let wanted = usize::try_from(left).unwrap_or(usize::MAX);
    bytes.truncate(wanted);
    let left = left - bytes.len() as u64;
    Ok(Some((bytes, (artifact, left))))
}

/// Reads a small part whole.
pub(crate) async fn whole(context: &Context, file: &File, part: Part) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    let mut chunks = std::pin::pin!(read(context, file, part));
    while let Some(chunk) = chunks.try_next().await? {
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

//! The bytes of one file, streamed.
//!
//! What broke off is asked for again by the host, from where it broke off, and goes on if the file is still the same one.
//! An error comes as a JSON object in place of the file, with a good status: it is told from a file that holds such an
//! object by what files come with and errors do not.

use std::collections::VecDeque;

use bytes::Bytes;
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE, LAST_MODIFIED};
use reqwest::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use wharf_http::content_range;
use wharf_sdk::{Context, Error};

use crate::address::Address;
use crate::answer;
use crate::failure::{self, Asked};
use crate::revision::Revision;
use crate::session::Moodle;

/// Larger ones are no errors.
const MAX_ERROR: usize = 64 << 10;
/// The most bytes of a page: no listing says how long they are.
const MAX_PAGE: u64 = 64 << 20;

/// What a listed file's attributes say.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Attributes {
    /// Below the site's address.
    pub(crate) address: Address,
    /// Not set: a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mimetype: Option<String>,
}

/// One file that the host wants.
pub(crate) struct Wanted<'a> {
    pub(crate) path: &'a str,
    pub(crate) attributes: &'a Attributes,
    /// As it was listed, or as it was when its first bytes came.
    pub(crate) listed: Option<Revision>,
    /// The next byte that the host lacks.
    pub(crate) offset: u64,
}

/// What the head of an answer says.
struct Head {
    /// Of the whole file; `None`: not said.
    size: Option<u64>,
    /// Seconds since 1970.
    changed: Option<u64>,
    /// Bytes of the answer that the host has already.
    skip: u64,
}

/// Hands the file to the host.
pub(crate) async fn fetch(
    wanted: &Wanted<'_>,
    moodle: &Moodle,
    context: &Context,
) -> Result<(), Error> {
    let response = moodle.file(&wanted.attributes.address, wanted.path, wanted.offset).await?;
    let head = Head::read(&response, wanted.offset);
    let body = wanted.body(moodle, head.as_ref(), response).await?;
    let Some(head) = head else { return Err(failure::changing(&moodle.server, wanted.path)) };
    wanted.compare(moodle, &head, context).await?;
    wanted.pour(moodle, head.skip, body, context).await
}

impl Head {
    /// `None`: what comes is not what was asked for.
    fn read(response: &Response, offset: u64) -> Option<Self> {
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let changed = header(LAST_MODIFIED).and_then(|date| httpdate::parse_http_date(date).ok());
        let changed = changed.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let changed = changed.map(|since| since.as_secs());
        if response.status() != StatusCode::PARTIAL_CONTENT {
            let size = response.content_length();
            // A server that knows no ranges sends all.
            let fits = size.is_none_or(|size| size >= offset);
            return fits.then_some(Self { size, changed, skip: offset });
        }
        let (from, size) = content_range(response.headers())?;
        (from == offset).then_some(Self { size, changed, skip: 0 })
    }
}

impl Wanted<'_> {
    fn is_page(&self) -> bool {
        self.attributes.mimetype.is_none()
    }

    /// The body, once it is sure that it is one of the file.
    async fn body(
        &self,
        moodle: &Moodle,
        head: Option<&Head>,
        response: Response,
    ) -> Result<Body, Error> {
        let asked = Asked::File(self.path);
        let is_good = matches!(response.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT);
        if !self.may_be_error(head, &response) {
            if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
                return Err(failure::changing(&moodle.server, self.path));
            }
            return if is_good {
                Ok(Body::of(response))
            } else {
                Err(moodle.status(&asked, &response))
            };
        }
        let refused = moodle.status(&asked, &response);
        let mut body = Body::of(response);
        let lost = |error| failure::lost(&moodle.server, &asked, &error);
        let beginning = body.look(MAX_ERROR).await.map_err(lost)?;
        match beginning.and_then(|bytes| answer::exception(&bytes)) {
            Some(exception) => Err(failure::exception(&moodle.server, &asked, &exception)),
            None if is_good => Ok(body),
            None => Err(refused),
        }
    }

    /// Errors have no name for the file, and are not as long as a listed JSON file.
    fn may_be_error(&self, head: Option<&Head>, response: &Response) -> bool {
        let headers = response.headers();
        let kind =
            headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let listed_as_json = self.attributes.mimetype.as_deref().is_some_and(is_json);
        let size = head.and_then(|head| head.size);
        let as_listed =
            listed_as_json && size.is_some() && size == self.listed.map(|listed| listed.size);
        is_json(kind) && !headers.contains_key(CONTENT_DISPOSITION) && !as_listed
    }

    /// Holds what comes against what was listed, and tells the host of another revision.
    async fn compare(&self, moodle: &Moodle, head: &Head, context: &Context) -> Result<(), Error> {
        let Some(listed) = self.listed else { return Ok(()) };
        if self.offset > 0 {
            let same_size = head.size == Some(listed.size);
            let newer = head.changed.is_some_and(|changed| changed > listed.changed);
            return if !self.is_page() && same_size && !newer {
                Ok(())
            } else {
                Err(failure::changing(&moodle.server, self.path))
            };
        }
        match head.size.filter(|size| !self.is_page() && *size != listed.size) {
            // The time is not compared: not every kind of file comes with the listed one.
            Some(size) => {
                let now = listed.at(size, head.changed.unwrap_or_default());
                context.revision(now.to_string()).await
            }
            None => Ok(()),
        }
    }

    async fn pour(
        &self,
        moodle: &Moodle,
        mut skip: u64,
        mut body: Body,
        context: &Context,
    ) -> Result<(), Error> {
        let asked = Asked::File(self.path);
        let lost = |error| failure::lost(&moodle.server, &asked, &error);
        let mut total = 0_u64;
        while let Some(mut piece) = body.next().await.map_err(lost)? {
            let length = piece.len() as u64;
            total = total.saturating_add(length);
            if self.is_page() && total > MAX_PAGE {
                let message = format!(
                    "{}: a page of more than {} MiB; leave it out",
                    self.path,
                    MAX_PAGE >> 20
                );
                return Err(Error::operation("limit.page", message).for_item(self.path));
            }
            let had = skip.min(length);
            skip -= had;
            drop(piece.split_to(usize::try_from(had).unwrap_or(piece.len())));
            context.chunk(piece).await?;
        }
        Ok(())
    }
}

fn is_json(kind: &str) -> bool {
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The body of an answer, of which a beginning may have been looked at.
struct Body {
    seen: VecDeque<Bytes>,
    rest: Response,
}

impl Body {
    fn of(rest: Response) -> Self {
        Self { seen: VecDeque::new(), rest }
    }

    /// All of it, if it is no longer than this.
    async fn look(&mut self, most: usize) -> reqwest::Result<Option<Vec<u8>>> {
        let mut size = 0;
        while let Some(piece) = self.rest.chunk().await? {
            size += piece.len();
            self.seen.push_back(piece);
            if size > most {
                return Ok(None);
            }
        }
        Ok(Some(self.seen.iter().flatten().copied().collect()))
    }

    async fn next(&mut self) -> reqwest::Result<Option<Bytes>> {
        match self.seen.pop_front() {
            Some(piece) => Ok(Some(piece)),
            None => self.rest.chunk().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_without_their_parameters() {
        assert!(is_json("application/json; charset=utf-8") && is_json("Application/JSON"));
        assert!(!is_json("text/html") && !is_json("application/json-seq"));
    }
}

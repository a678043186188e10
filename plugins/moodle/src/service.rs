//! Requests to a site: functions of its web service, and its files.
//!
//! All are POST with a form in the body, so that the user's key stands in no address and in no log of a server on the way.
//! Answers of functions have a limit of bytes and of time; those of files are for `fetch` to stream.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RANGE, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use url::Url;
use url::form_urlencoded::Serializer;
use wharf_sdk::{Error, Scope};

use crate::address::Address;
use crate::answer::{self, Course, List, Refusal, Section, Site};
use crate::failure::{self, Asked};
use crate::session::Moodle;

/// The most bytes of a function's answer.
const MAX_ANSWER: usize = 16 << 20;
/// How long a function's whole answer may take.
const DEADLINE: Duration = Duration::from_mins(5);
/// Where functions are called, below the site's address.
const SERVICE: &str = "webservice/rest/server.php";

impl Moodle {
    /// The courses that the user is in.
    pub(crate) async fn courses(&self) -> Result<Vec<Course>, Error> {
        let user = self.user.get_or_try_init(|| async {
            let asked = Asked::Function("core_webservice_get_site_info");
            let site: Site = self.call(&asked, None).await?;
            Ok::<_, Error>(site.userid)
        });
        let user = user.await?.to_string();
        let asked = Asked::Function("core_enrol_get_users_courses");
        let courses: List<Course> = self.call(&asked, Some(("userid", &user))).await?;
        Ok(courses.0)
    }

    /// What a course holds.
    pub(crate) async fn sections(&self, course: &Course) -> Result<Vec<Section>, Error> {
        let id = course.id.to_string();
        let asked = Asked::Course(&course.fullname);
        let sections: List<Section> = self.call(&asked, Some(("courseid", &id))).await?;
        Ok(sections.0)
    }

    /// Asks for a file from a place on: the answer's head.
    pub(crate) async fn file(
        &self,
        address: &Address,
        path: &str,
        offset: u64,
    ) -> Result<Response, Error> {
        let asked = Asked::File(path);
        let url = address.on(&self.site).map_err(|refusal| {
            let message = format!("{path}: {refusal}");
            Error::operation("content.address", message).for_item(path)
        })?;
        let range = (offset > 0).then(|| format!("bytes={offset}-"));
        self.post(url, &asked, &[("token", &self.token)], range).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        asked: &Asked<'_>,
        parameter: Option<(&str, &str)>,
    ) -> Result<T, Error> {
        let function = asked.function();
        let mut form = vec![
            ("wstoken", &*self.token),
            ("moodlewsrestformat", "json"),
            ("wsfunction", function),
        ];
        form.extend(parameter);
        let mut url = self.site.clone();
        url.set_path(&format!("{}/{SERVICE}", self.site.path().trim_end_matches('/')));
        let asking = async {
            let response = self.post(url, asked, &form, None).await?;
            if response.status() != StatusCode::OK {
                return Err(self.status(asked, &response));
            }
            self.whole(asked, response).await
        };
        let bytes = match timeout(DEADLINE, asking).await {
            Ok(bytes) => bytes?,
            Err(_elapsed) => return Err(failure::late(&self.server, asked)),
        };
        answer::read(&bytes).map_err(|refusal| match refusal {
            Refusal::Exception(exception) => failure::exception(&self.server, asked, &exception),
            Refusal::Malformed(error) => failure::malformed(&self.server, asked, &error),
        })
    }

    async fn whole(&self, asked: &Asked<'_>, mut response: Response) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let lost = |error| failure::lost(&self.server, asked, &error);
        while let Some(piece) = response.chunk().await.map_err(lost)? {
            if bytes.len() + piece.len() > MAX_ANSWER {
                let message = format!(
                    "{}: the answer to {} has more than {} MiB; mirror single courses instead of all",
                    self.server.url,
                    asked.function(),
                    MAX_ANSWER >> 20
                );
                return Err(Error::operation("limit.answer", message).in_scope(Scope::Attachment));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    async fn post(
        &self,
        url: Url,
        asked: &Asked<'_>,
        form: &[(&str, &str)],
        range: Option<String>,
    ) -> Result<Response, Error> {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.client.post(url).body(body);
        let mut request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(range) = range {
            request = request.header(RANGE, range);
        }
        request.send().await.map_err(|error| failure::lost(&self.server, asked, &error))
    }

    /// What an HTTP status other than a good one means.
    pub(crate) fn status(&self, asked: &Asked<'_>, response: &Response) -> Error {
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let location = header(reqwest::header::LOCATION).unwrap_or_default();
        let wait = header(RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
        let wait = wait.map(|seconds: u64| Duration::from_secs(seconds.min(3_600)));
        failure::status(&self.server, asked, response.status(), location, wait)
    }
}

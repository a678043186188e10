//! The component `importer`: lists the files of courses, and hands them out.

use std::collections::HashMap;

use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use wharf_sdk::{
    Check, Checked, Component, Context, Done, Error, FetchRequest, File, Importer, ListRequest,
    ListedItem, ListedPath, PathError, Progress, Scope, Unit, async_trait,
};

use crate::FILE;
use crate::answer::Course;
use crate::failure;
use crate::fetch::{Attributes, Wanted, fetch};
use crate::layout::{self, Found};
use crate::place::{Refusal, plain, tamed};
use crate::session::{Moodle, Session};
use crate::settings::{self, Settings, Wanted as Choice};

/// Courses that are asked for at the same time.
const AT_ONCE: usize = 4;

/// The component.
#[derive(Default)]
pub(crate) struct Courses {
    session: Session,
}

#[async_trait]
impl Component for Courses {
    async fn check(&self, check: Check) -> Result<Checked, Error> {
        settings::check(&check)
    }
}

#[async_trait]
impl Importer for Courses {
    async fn list(&self, request: ListRequest, context: &Context) -> Result<Done, Error> {
        let settings = Settings::of(&request.attachment)?;
        let listing = async {
            let moodle = self.session.begin(&settings.server, context).await?;
            let chosen = choose(moodle.courses().await?, &settings)?;
            let mut listings = stream::iter(chosen)
                .map(|(course, top)| {
                    let moodle = &moodle;
                    async move { listed(moodle, &course, top).await }
                })
                .buffered(AT_ONCE);
            let mut count = 0;
            while let Some(found) = listings.next().await {
                for one in found? {
                    if request.wants(one.path()) {
                        count += 1;
                        tell(one, context).await?;
                    }
                }
                let progress = Progress::new(count, 0).unit("files").phase("listing");
                context.progress(progress).await;
            }
            Ok(Done::changed().announced(count))
        };
        context.or_cancelled(listing).await
    }

    async fn fetch(&self, request: FetchRequest, context: &Context) -> Result<Done, Error> {
        let settings = Settings::of(&request.attachment)?;
        let attributes: Attributes = request.unit.read_attributes()?;
        let path = request.unit.files().next().map(|file| file.path().to_owned());
        let wanted = Wanted {
            path: path.as_deref().unwrap_or_default(),
            attributes: &attributes,
            listed: request.revision.parse().ok(),
            offset: request.offset,
        };
        let fetching = async {
            let moodle = self.session.moodle(&settings.server, context).await?;
            fetch(&wanted, &moodle, context).await
        };
        context.or_cancelled(fetching).await?;
        Ok(Done::unchanged())
    }
}

/// The courses that are mirrored, each with the folder of its files: one alone needs none.
fn choose(courses: Vec<Course>, settings: &Settings) -> Result<Vec<(Course, ListedPath)>, Error> {
    let wanted = settings.wanted();
    let fits = |course: &Course| match wanted {
        Choice::All => true,
        Choice::Number(number) => course.id == number,
        Choice::Named(name) => course.fullname == name || plain(&course.fullname).trim() == name,
    };
    let mut chosen: Vec<Course> = courses.into_iter().filter(fits).collect();
    if wanted == Choice::All {
        chosen.sort_by_key(|course| course.id);
        return chosen.into_iter().map(in_its_folder()).collect();
    }
    match <[Course; 1]>::try_from(chosen) {
        Ok([course]) => Ok(vec![(course, ListedPath::top())]),
        Err(others) if others.is_empty() => {
            let why = "you are in no course of the name; remote_dir is the full name, as a browser shows it:";
            Err(failure::unknown(&settings.server, &settings.remote_dir, why))
        }
        Err(several) => {
            let ids: Vec<String> =
                several.iter().map(|course| format!("id:{}", course.id)).collect();
            let why =
                format!("set remote_dir to one of {}; they all have the name", ids.join(", "));
            Err(failure::unknown(&settings.server, &settings.remote_dir, &why))
        }
    }
}

/// Gives each course its folder. Of several with one name, all but the oldest have their number behind it.
fn in_its_folder() -> impl FnMut(Course) -> Result<(Course, ListedPath), Error> {
    let mut seen = HashMap::new();
    move |course| {
        let title = tamed(&course.fullname);
        let first = *seen.entry(title.clone()).or_insert(course.id);
        let name = if first == course.id { title } else { format!("{title} ({})", course.id) };
        let refused =
            |refusal: PathError| Error::operation("content.path", format!("{name}: {refusal}"));
        let place = ListedPath::top().below(&name).map_err(refused)?;
        Ok((course, place))
    }
}

/// What a course holds. One of many that is not shown fails alone.
async fn listed(moodle: &Moodle, course: &Course, top: ListedPath) -> Result<Vec<Item>, Error> {
    let sections = match moodle.sections(course).await {
        Ok(sections) => sections,
        Err(error) if error.code() == failure::COURSE && top != ListedPath::top() => {
            return Ok(vec![Item::Failed { path: top.to_string(), error }]);
        }
        Err(error) => return Err(error),
    };
    let found = layout::files(&top, &sections, &moodle.site).map_err(|refusal| {
        let message =
            format!("{}, course \"{}\": {refusal}", moodle.server.url, tamed(&course.fullname));
        Error::operation("limit.files", message).in_scope(Scope::Attachment)
    })?;
    Ok(found.into_iter().map(Item::from).collect())
}

/// What the host is told of.
enum Item {
    File(layout::Listed),
    Failed { path: String, error: Error },
}

impl Item {
    fn path(&self) -> &str {
        match self {
            Self::File(listed) => listed.place.as_str(),
            Self::Failed { path, .. } => path,
        }
    }
}

impl From<Found> for Item {
    fn from(found: Found) -> Self {
        match found {
            Found::File(listed) => Self::File(listed),
            Found::Refused { path, why } => {
                let code =
                    if why == Refusal::Elsewhere { "source.elsewhere" } else { "content.path" };
                let error = Error::operation(code, format!("{path}: {why}")).for_item(path.clone());
                Self::Failed { path, error }
            }
        }
    }
}

#[derive(Serialize)]
struct Key<'a> {
    relative_path: &'a str,
}

async fn tell(item: Item, context: &Context) -> Result<(), Error> {
    match item {
        Item::File(layout::Listed { place, address, revision, mimetype }) => {
            let path = place.as_str();
            let file = File::at(path).media_type(mimetype.as_deref().unwrap_or("text/html"));
            let file = if mimetype.is_some() { file.size(revision.size) } else { file };
            let unit = Unit::new(FILE).key(&Key { relative_path: path })?;
            let unit = unit.attributes(&Attributes { address, mimetype })?.file(file);
            let listed = ListedItem::new(unit).revision(revision.to_string());
            context.listed(listed.modified_ms(revision.changed_ms())).await
        }
        Item::Failed { path, error } => context.failed(path, error).await,
    }
}

#[cfg(test)]
mod tests {
    use wharf_sdk::SecretName;

    use super::*;
    use crate::settings::Server;

    fn choice(remote_dir: &str) -> Result<Vec<(u64, String)>, Error> {
        let course = |(id, name): (u64, &str)| Course { id, fullname: name.to_owned() };
        let courses = [(9, "Maths"), (3, "Q &amp; A"), (4, "Maths"), (5, "A/B")].map(course);
        let server = Server {
            url: "https://m.example".to_owned(),
            token: SecretName::Name("t".to_owned()),
            certificates: String::new(),
        };
        let settings = Settings { server, remote_dir: remote_dir.to_owned() };
        let chosen = choose(courses.to_vec(), &settings)?;
        Ok(chosen.into_iter().map(|(course, place)| (course.id, place.to_string())).collect())
    }

    #[test]
    fn one_course_needs_no_folder_and_all_have_one_each() {
        assert_eq!(choice("Q & A").unwrap(), [(3, String::new())]);
        assert_eq!(choice("Q &amp; A").unwrap(), [(3, String::new())]);
        assert_eq!(choice("id:9").unwrap(), [(9, String::new())]);
        let all = choice("/").unwrap();
        let all: Vec<(u64, &str)> = all.iter().map(|(id, place)| (*id, place.as_str())).collect();
        assert_eq!(all, [(3, "Q & A"), (4, "Maths"), (5, "A_B"), (9, "Maths (9)")]);
    }

    #[test]
    fn a_name_of_none_or_of_several_courses_is_an_error_that_helps() {
        let none = choice("Physics").unwrap_err();
        assert_eq!((none.code(), none.field()), (failure::COURSE, "/remote_dir"));
        let several = choice("Maths").unwrap_err().to_string();
        assert!(several.contains("id:9, id:4"), "{several}");
    }
}

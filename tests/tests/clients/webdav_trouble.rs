//! A WebDAV folder, a whole host, and what goes wrong with the server: what people are told, with which status, that what was
//! there stays whole, and that the next run mends.

use wharf_tests::apache::{Apache, PASSWORD, USER};

use crate::shares::{self, Server, nothing_came_of};

impl Server for Apache {
    const PLUGIN: &str = "webdav";
    const OPEN: &str = "open";
    const STRANGER: &str = "open";
    const OWN: &str = "dav";
    const PASSWORD: &str = PASSWORD;
    const LARGE: usize = 7 << 20;
    const STAGED: usize = 16 << 20;

    fn start() -> Self {
        Self::start()
    }

    fn user(&self) -> &str {
        USER
    }

    fn settings(port: u16, place: &str) -> Vec<String> {
        vec![format!("url=http://127.0.0.1:{port}/{place}")]
    }
}

#[test]
fn a_folder_that_may_not_be_read_fails_and_what_stood_below_it_stays() {
    shares::a_folder_may_not_be_read::<Apache>("/open/closed");
}

#[test]
fn a_folder_that_is_not_there_or_is_no_webdav_changes_nothing() {
    shares::a_folder_is_not_there::<Apache>("/open/in", |apache, host| {
        for (path, words) in [("plain", "no WebDAV"), ("old", "sends us to")] {
            let url = format!("url={}", apache.url(path));
            let run = host.wharf(&["sync", "school", "--set", &url]);
            assert_eq!(run.status, 1, "{run:#?}");
            run.says(&[words, "url"]);
            nothing_came_of(host, &run, 1);
        }
    });
}

#[test]
fn a_wrong_password_changes_nothing_and_is_told_nowhere() {
    shares::a_password_is_wrong::<Apache>();
}

#[test]
fn a_server_that_is_gone_changes_nothing_and_is_found_again() {
    shares::a_server_is_gone::<Apache>(&["127.0.0.1", "refused", "look whether it runs"]);
}

#[test]
fn a_server_that_is_killed_in_mid_download_leaves_nothing_half_written() {
    shares::a_server_is_killed_in_mid_download::<Apache>(|run| {
        assert_ne!(run.status, 0, "{run:#?}");
    });
}

#[test]
fn a_stop_in_mid_download_leaves_nothing_half_written() {
    shares::a_stop_in_mid_download::<Apache>();
}

#[test]
fn files_that_vanish_between_listing_and_fetch_fail_alone() {
    shares::files_vanish::<Apache>();
}

#[test]
fn files_that_change_between_listing_and_fetch_come_as_what_they_are_now() {
    shares::files_change::<Apache>();
}

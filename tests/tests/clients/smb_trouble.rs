//! A share, a whole host, and what goes wrong with the share: what people are told, with which status, that what was
//! there stays whole, and that the next run mends.

use wharf_tests::samba::{PASSWORD, Samba};

use crate::shares::{self, Server, nothing_came_of};

impl Server for Samba {
    const PLUGIN: &str = "smb";
    const OPEN: &str = "open";
    const STRANGER: &str = "stranger";
    const OWN: &str = "files";
    const PASSWORD: &str = PASSWORD;
    const LARGE: usize = 6 << 20;
    const STAGED: usize = 12 << 20;

    fn start() -> Self {
        Self::start()
    }

    fn user(&self) -> &str {
        self.user()
    }

    fn settings(port: u16, place: &str) -> Vec<String> {
        vec!["hostname=127.0.0.1".to_owned(), format!("port={port}"), format!("share={place}")]
    }
}

#[test]
fn a_folder_that_may_not_be_read_fails_and_what_stood_below_it_stays() {
    shares::a_folder_may_not_be_read::<Samba>("//127.0.0.1/stranger/closed");
}

#[test]
fn a_share_or_a_folder_that_is_not_there_changes_nothing() {
    shares::a_folder_is_not_there::<Samba>("//127.0.0.1/open/in", |_samba, host| {
        let run = host.wharf(&["sync", "school", "--set", "share=none"]);
        run.ended(2, "usage").says(&["has no share", "none", "smbclient --list"]);
        nothing_came_of(host, &run, 1);
    });
}

#[test]
fn a_wrong_password_changes_nothing_and_is_told_nowhere() {
    shares::a_password_is_wrong::<Samba>();
}

#[test]
fn a_server_that_is_killed_in_mid_download_leaves_nothing_half_written() {
    shares::a_server_is_killed_in_mid_download::<Samba>(|run| {
        run.ended(1, "source").says(&["//127.0.0.1/open", "look whether the server runs"]);
    });
}

#[test]
fn a_stop_in_mid_download_leaves_nothing_half_written() {
    shares::a_stop_in_mid_download::<Samba>();
}

#[test]
fn files_that_vanish_between_listing_and_fetch_fail_alone() {
    shares::files_vanish::<Samba>();
}

#[test]
fn files_that_change_between_listing_and_fetch_come_as_what_they_are_now() {
    shares::files_change::<Samba>();
}

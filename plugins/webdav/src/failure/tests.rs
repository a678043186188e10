use wharf_sdk::{Class, SecretName};

use super::*;

fn server(username: &str) -> Server {
    Server {
        url: "https://c.example/dav".to_owned(),
        username: username.to_owned(),
        password: Some(SecretName::Name("cloud".to_owned())),
        certificates: String::new(),
    }
}

fn told(asked: Asked<'_>, code: u16, headers: &[(&'static str, &str)]) -> Error {
    let (server, mut map) = (server("ada"), HeaderMap::new());
    for (name, value) in headers {
        map.append(*name, value.parse().unwrap());
    }
    let full = match asked {
        Asked::Top => "",
        Asked::Folder => "a",
        Asked::File(path) => path,
    };
    let from = Url::parse(&format!("https://c.example/dav/{full}")).unwrap();
    Case { server: &server, asked, full }.told(StatusCode::from_u16(code).unwrap(), &map, &from)
}

#[test]
fn what_a_status_means_depends_on_what_was_asked() {
    let (folder, file) = (Asked::Folder, Asked::File("a/b"));
    let (item, all) = (Scope::Item, Scope::Attachment);
    for (asked, status, class, code, scope) in [
        (Asked::Top, 401, Class::Usage, "usage.credentials", Scope::Run),
        (folder, 401, Class::Usage, "usage.credentials", Scope::Run),
        (file, 401, Class::Operation, "source.forbidden", item),
        (Asked::Top, 403, Class::Usage, "usage.rights", Scope::Run),
        (folder, 403, Class::Operation, "source.folder", all),
        (file, 403, Class::Operation, "source.forbidden", item),
        (Asked::Top, 404, Class::Operation, "source.folder", all),
        (file, 410, Class::Operation, "source.vanished", item),
        (file, 423, Class::Operation, "source.busy", item),
        (folder, 429, Class::Operation, "source.busy", all),
        (Asked::Top, 503, Class::Operation, "source.unreachable", all),
        (file, 500, Class::Operation, "source.unreachable", item),
        (Asked::Top, 405, Class::Operation, "content.answer", all),
        (Asked::Top, 200, Class::Operation, "content.answer", all),
        (Asked::Top, 418, Class::Operation, "source.status", all),
    ] {
        let error = told(asked, status, &[]);
        let found = (error.class(), error.code(), error.scope());
        assert_eq!(found, (class, code, scope), "{status} of {asked:?}");
        let passing = matches!(status, 423 | 429 | 500 | 503);
        assert_eq!(error.is_retryable(), passing, "{status}");
    }
}

#[test]
fn a_page_instead_of_a_listing_is_told_with_the_address_that_it_takes() {
    let page = told(Asked::Top, 200, &[("content-type", "text/html; charset=UTF-8")]);
    assert_eq!(page.field(), "/url");
    let words = page.to_string();
    assert!(words.contains("text/html") && words.contains("remote.php/dav/files"), "{words}");
}

#[test]
fn a_redirect_is_named_and_not_followed_and_its_secrets_are_not_told() {
    let to = |location: &str| told(Asked::Top, 301, &[("location", location)]);
    let moved = to("https://me:pw@other.example:444/dav/?token=1");
    assert_eq!((moved.code(), moved.field()), ("source.redirect", "/url"));
    let words = moved.to_string();
    assert!(words.contains("to https://other.example:444/dav/, where"), "{words}");
    assert!(!words.contains("token") && !words.contains("pw"), "{words}");
    assert!(to("/elsewhere/").to_string().contains("https://c.example/elsewhere/"));
    let folder = told(Asked::File("a"), 301, &[("location", "https://c.example/dav/a/")]);
    assert_eq!(folder.code(), "source.vanished");
}

#[test]
fn a_login_that_is_not_basic_is_told_as_such() {
    let refused = |offers: &str| told(Asked::Top, 401, &[("www-authenticate", offers)]);
    assert_eq!(refused("Basic realm=\"x\"").field(), "/password");
    let digest = refused("Digest realm=\"x\", nonce=\"y\"");
    assert_eq!(digest.field(), "/username");
    assert!(digest.to_string().contains("by Digest only"), "{digest}");
    let nobody = server("");
    let case = Case { server: &nobody, asked: Asked::Top, full: "" };
    assert_eq!(case.credentials(&HeaderMap::new()).field(), "/username");
}

#[test]
fn a_server_that_asks_for_time_gets_it() {
    let busy = told(Asked::Top, 429, &[("retry-after", "86400")]);
    assert_eq!(busy.clone().retry_after(LONGEST), busy);
}

#[test]
fn what_the_server_withholds_is_gone_or_fails() {
    let server = server("ada");
    let case = Case { server: &server, asked: Asked::File("a"), full: "a" };
    let code = |status| case.withheld(status).map(|error| error.code().to_owned());
    assert_eq!(code(Some(404)), None);
    assert_eq!(code(Some(403)).as_deref(), Some("source.forbidden"));
    assert_eq!(code(Some(507)).as_deref(), Some("source.status"));
    assert_eq!(code(None).as_deref(), Some("content.answer"));
}

//! Where packages come from, as lines of apt's sources.list. Source: sources.list(5).

use wharf_sdk::Error;
use wharf_template::Repository;

use crate::system::System;

/// The line of the mirror itself.
pub(crate) fn mirror_line(mirror: &str, system: &System) -> String {
    format!("deb {mirror} {} {}", system.suite, system.components())
}

/// The line of a repository: its url is a line already, an address with suite and components, or an address alone, which
/// then has the system's.
pub(crate) fn repository_line(repository: &Repository, system: &System) -> Result<String, Error> {
    let wrong = || {
        let message = format!(
            "repository {:?}: expected `deb [options] URL SUITE COMPONENT...`, `URL SUITE COMPONENT...`, or `URL`, found {:?}",
            repository.name, repository.url
        );
        Error::usage("config.repository", message)
    };
    let text = repository.url.trim();
    let (kind, rest) = match text.split_once(char::is_whitespace) {
        Some((kind @ ("deb" | "deb-src"), rest)) => (kind, rest.trim_start()),
        _ => ("deb", text),
    };
    let (mut options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(o, r)| (words(o), r)).ok_or_else(wrong)?,
        None => (Vec::new(), rest),
    };
    let place = words(rest);
    let place = match place.as_slice() {
        [url] => vec![*url, system.suite.as_str(), "main"],
        [_, suite] if !suite.ends_with('/') => return Err(wrong()),
        [_, suite, _, ..] if suite.ends_with('/') => return Err(wrong()),
        [_, _, ..] => place,
        [] => return Err(wrong()),
    };
    if !place.first().is_some_and(|url| url.contains("://")) || text.chars().any(char::is_control) {
        return Err(wrong());
    }
    if !repository.signed && !options.iter().any(|option| option.starts_with("trusted=")) {
        options.push("trusted=yes");
    }
    let options =
        if options.is_empty() { String::new() } else { format!("[{}] ", options.join(" ")) };
    Ok(format!("{kind} {options}{}", place.join(" ")))
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// Apt's word for a server whose certificate is not checked; `None` where there is nothing to check or it is checked.
pub(crate) fn unchecked_server(repository: &Repository) -> Option<String> {
    let rest = repository.url.split_once("https://")?.1;
    let host = rest.split(['/', ' ', '\t']).next().filter(|host| !host.is_empty())?;
    let host = host.rsplit('@').next()?.split(':').next()?;
    let plain = host.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
    (!repository.sslverify && plain)
        .then(|| format!("Acquire::https::{host}::Verify-Peer \"false\";"))
}

/// The name of a repository's file in sources.list.d, which apt reads only if it is plain.
pub(crate) fn file_name(repository: &Repository) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
    format!("wharf-{}.list", repository.name.chars().map(plain).collect::<String>())
}

#[cfg(test)]
mod tests {
    use wharf_template::{Form, Template};

    use super::*;

    fn repository(url: &str, signed: bool) -> (Repository, System) {
        let text = format!(
            r#"{{"name":"x","os":{{"name":"Debian","version":"12","arch":"x86_64","install":{{"type":"url","url":"http://m.example/"}}}},
                "repositories":[{{"name":"a b","url":"{url}","signed":{signed}}}]}}"#
        );
        let mut template = Template::read(text.as_bytes(), Form::Json).unwrap();
        (template.repositories.remove(0), System::of(&template.os).unwrap())
    }

    fn line(url: &str, signed: bool) -> Option<String> {
        let (repository, system) = repository(url, signed);
        repository_line(&repository, &system).ok()
    }

    #[test]
    fn an_address_becomes_a_line_of_the_system() {
        let whole = Some("deb http://a.example/d bookworm main".to_owned());
        assert_eq!(line("http://a.example/d", true), whole);
        let unsigned = Some("deb [trusted=yes] http://a.example/d stable main x".to_owned());
        assert_eq!(line("http://a.example/d stable main x", false), unsigned);
        let flat = Some("deb [trusted=yes] http://a.example/d ./".to_owned());
        assert_eq!(line("deb http://a.example/d ./", false), flat);
    }

    #[test]
    fn options_of_a_line_stay() {
        let with = Some("deb-src [arch=amd64 trusted=yes] file:///d s m".to_owned());
        assert_eq!(line("deb-src [arch=amd64] file:///d s m", false), with);
        let own = Some("deb [trusted=no] http://a s m".to_owned());
        assert_eq!(line("deb [ trusted=no ] http://a s m", false), own);
    }

    #[test]
    fn what_apt_would_not_read_is_refused() {
        for url in
            ["ppa:x/y", "deb", "deb [arch=amd64 http://a s m", "http://a suite", "http://a ./ main"]
        {
            assert_eq!(line(url, true), None, "{url}");
        }
    }

    #[test]
    fn certificates_are_unchecked_only_where_the_template_says_so() {
        let (mut repository, _) = repository("deb https://u@a.example:8443/d s m", true);
        let option = "Acquire::https::a.example::Verify-Peer \"false\";";
        assert_eq!(unchecked_server(&repository).as_deref(), Some(option));
        repository.sslverify = true;
        assert_eq!(unchecked_server(&repository), None);
        assert_eq!(file_name(&repository), "wharf-a_b.list");
    }
}

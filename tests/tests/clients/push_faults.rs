//! Providers that do not want us, fall over, or are slow; stops and kills in the middle of an upload.

use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};
use wharf_tests::providers::{Glance, S3};
use wharf_tests::wait;

use crate::push::Stand;

/// Waits until a server holds an upload.
fn wait_for_held(server: &wharf_tests::providers::Server) {
    wait::until("an upload is on its way", wait::PATIENCE, || (server.held() > 0).then_some(()));
}

#[test]
fn wrong_credentials_and_missing_places_are_the_users_to_mend() {
    let (stand, s3, glance) = (Stand::new(), S3::start(), Glance::start());
    stand.s3(&s3, "wrong", &["secret_key=wrong"]);
    stand.s3(&s3, "stranger", &["secret_key=good", "access_key=nobody"]);
    stand.s3(&s3, "nowhere", &["secret_key=good", "bucket=nowhere"]);
    stand.glance(&glance, "cloud", "wrong");
    let (image, _digest) = stand.image(1);
    for (provider, code) in [
        ("wrong", "usage.credentials"),
        ("stranger", "usage.credentials"),
        ("nowhere", "not_found.bucket"),
        ("cloud", "usage.credentials"),
    ] {
        let run = stand.host.wharf(&["image", "push", &image, provider]);
        assert_eq!(run.status, 2, "{provider}: {run:#?}");
        assert_eq!(run.json["problem"]["code"], code, "{provider}: {run:#?}");
        assert!(!run.words().contains("no such horse"), "{run:#?}");
    }
    assert_eq!((stand.records(), s3.look()["uploads"].clone()), (0, json!([])));
    stand.host.finish();
}

#[test]
fn a_server_that_falls_over_twice_is_asked_again() {
    let (stand, s3, glance) = (Stand::new(), S3::start(), Glance::start());
    stand.s3(&s3, "store", &["secret_key=good"]);
    stand.glance(&glance, "cloud", "good");
    let (image, digest) = stand.image(6);
    s3.server().fail("partNumber", 2);
    stand.host.ok(&["image", "push", &image, "store"]);
    let objects = s3.look()["objects"].clone();
    let object = objects.as_object().and_then(|all| all.values().next()).expect("an object");
    assert_eq!(object["sha256"], json!(digest));
    glance.server().fail("/file", 2);
    stand.host.ok(&["image", "push", &image, "cloud"]);
    let [made] = &glance.images()[..] else { panic!("what broke off is gone") };
    assert_eq!((&made["status"], &made["os_hash_value"]), (&json!("active"), &json!(digest)));
    // One that never comes back costs the job, and leaves nothing.
    s3.server().fail("partNumber", 1000);
    let run = stand.host.wharf(&["image", "push", &image, "store", "--param", "key=other"]);
    assert_eq!(run.json["problem"]["class"], "operation", "{run:#?}");
    assert_eq!(s3.look()["uploads"], json!([]));
    stand.host.finish();
}

#[test]
fn a_stop_in_the_middle_of_an_upload_leaves_nothing_at_the_provider() {
    let (stand, s3, glance) = (Stand::new(), S3::start(), Glance::start());
    stand.s3(&s3, "store", &["secret_key=good"]);
    stand.glance(&glance, "cloud", "good");
    let (image, _digest) = stand.image(6);
    for (provider, server, text) in
        [("store", s3.server(), "partNumber"), ("cloud", glance.server(), "/file")]
    {
        server.hold(text);
        let running = stand.host.start(&["image", "push", &image, provider]);
        wait_for_held(server);
        running.signal(Signal::INT);
        let run = running.wait();
        assert_eq!(run.status, 130, "{provider}: {run:#?}");
    }
    wait::until("both are clean", wait::PATIENCE, || {
        let clean =
            glance.images().is_empty() && s3.look() == json!({ "objects": {}, "uploads": [] });
        clean.then_some(())
    });
    assert_eq!(stand.records(), 0);
    stand.host.finish();
}

// F155
#[test]
fn a_host_that_is_killed_in_the_middle_of_an_upload_ends_it_and_clears_up_what_it_left() {
    let (mut stand, s3, glance) = (Stand::new(), S3::start(), Glance::start());
    stand.s3(&s3, "store", &["secret_key=good"]);
    stand.glance(&glance, "cloud", "good");
    let (image, digest) = stand.image(6);
    s3.server().hold("partNumber");
    glance.server().hold("/file");
    // What a process left that had no time for anything.
    s3.begin("web");
    stand.host.ok(&["image", "push", &image, "store", "--param", "key=web", "--no-wait"]);
    stand.host.ok(&["image", "push", &image, "cloud", "--no-wait"]);
    wait_for_held(s3.server());
    wait_for_held(glance.server());
    stand.host.kill_server();
    stand.host.serve();
    wait::until("both pushes are done", wait::PATIENCE, || {
        let jobs = stand.host.ok(&["job", "list"]);
        let jobs = jobs["jobs"].as_array().expect("a list").clone();
        let is_done = |job: &&Value| {
            job["operation"] == "push" && job["state"] == "succeeded" && job["attempts"] == 2
        };
        (jobs.iter().filter(is_done).count() == 2).then_some(())
    });
    let seen = s3.look();
    let object =
        seen["objects"].as_object().and_then(|all| all.values().next()).expect("an object");
    assert_eq!((&object["sha256"], &seen["uploads"]), (&json!(digest), &json!([])));
    let [made] = &glance.images()[..] else { panic!("what the dead host began is gone") };
    assert_eq!((&made["status"], stand.records()), (&json!("active"), 2));
    stand.host.finish();
}

#[test]
fn a_provider_with_a_certificate_of_its_own_authority_is_trusted_when_that_is_given() {
    let stand = Stand::new();
    let folder = stand.host.folder();
    let about = "[req]\ndistinguished_name=name\n[name]\n[leaf]\nsubjectAltName=DNS:localhost\n\
                 basicConstraints=critical,CA:FALSE\n";
    std::fs::write(folder.join("about"), about).expect("a file");
    let made =
        ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let out = ["-keyout", "key", "-out", "cert", "-days", "2", "-subj", "/CN=localhost"];
    let made = [&made[..], &out, &["-config", "about", "-extensions", "leaf"]].concat();
    crate::run(folder, "openssl", &made);
    let serve = "import http.server, ssl\n\
                 server = http.server.HTTPServer(('127.0.0.1', 0), http.server.BaseHTTPRequestHandler)\n\
                 context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n\
                 context.load_cert_chain('cert', 'key')\n\
                 server.socket = context.wrap_socket(server.socket, server_side=True)\n\
                 print(server.server_port, flush=True)\n\
                 server.serve_forever()";
    let mut server = Command::new("python3")
        .args(["-c", serve])
        .current_dir(folder)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("python3 is there");
    let mut port = String::new();
    let stdout = server.stdout.take().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut port).expect("a pipe");
    let endpoint = format!("endpoint=https://localhost:{}", port.trim());
    let settings = [&endpoint, "bucket=images", "access_key=x", "secret_key=good"];
    stand.provider("unknown", "image-push.s3", &settings);
    let certificate = std::fs::read_to_string(folder.join("cert")).expect("a file");
    let certificate = format!("ca_certificate={certificate}");
    stand.provider("known", "image-push.s3", &[&settings[..], &[&certificate]].concat());
    let (image, _digest) = stand.image(1);
    let unknown = stand.host.wharf(&["image", "push", &image, "unknown"]);
    assert_eq!(unknown.json["problem"]["code"], "source.tls", "{unknown:#?}");
    // The server knows no S3, and says so: the connection stands.
    let known = stand.host.wharf(&["image", "push", &image, "known"]);
    assert_eq!(known.json["problem"]["code"], "source.status", "{known:#?}");
    server.kill().expect("it runs");
    server.wait().expect("our own child");
    stand.host.finish();
}

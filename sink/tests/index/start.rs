//! What a user does wrong has one clear message and an exit code of its own.

use std::time::Duration;

use service::exit::{Code, Exit};
use service::{Secret, Shutdown, clock};
use sink::index::{Index, IndexSettings};

use crate::proxy::canned;
use crate::server::address;

fn error_at(url: &str) -> (Code, String) {
    let settings = IndexSettings {
        url: Secret::new(url),
        connect_patience: Duration::from_millis(100),
        ..IndexSettings::default()
    };
    match Index::connect(&settings, &Shutdown::new()) {
        Ok(_) => panic!("connected to {url}"),
        Err(error) => {
            let code = error.code();
            let text = Exit::from(error).to_string();
            assert!(!text.contains("geheim") && !format!("{settings:?}").contains("geheim"), "{text}");
            (code, text)
        }
    }
}

#[test]
fn an_unreachable_server_is_named() {
    let (code, text) = error_at("http://elastic:geheim@127.0.0.1:1/");
    assert_eq!(code, Code::Unavailable);
    assert!(text.contains("http://127.0.0.1:1 does not answer"), "{text}");
    assert!(text.contains("refused"), "the cause is told: {text}");
}

#[test]
fn a_server_that_is_not_up_yet_is_waited_for_and_a_stop_ends_the_waiting() {
    let settings = IndexSettings { url: Secret::new("http://127.0.0.1:1"), ..IndexSettings::default() };
    let shutdown = Shutdown::new();
    shutdown.request();
    let begin = clock::now();
    assert!(Index::connect(&settings, &shutdown).is_err());
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[test]
fn wrong_credentials_are_named() {
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let body =
            r#"{"error":{"type":"security_exception","reason":"unable to authenticate user [elastic]"}}"#;
        let server = canned(status, body);
        let (code, text) = error_at(&format!("http://elastic:geheim@{server}"));
        assert_eq!(code, Code::Denied);
        assert!(
            text.contains("unable to authenticate") && text.contains("check user and password"),
            "{text}"
        );
    }
}

#[test]
fn another_product_is_named() {
    let fork =
        r#"{"tagline":"The OpenSearch Project","version":{"number":"2.19.0","distribution":"opensearch"}}"#;
    for (body, found) in
        [(fork, "opensearch 2.19.0"), ("<html>hello</html>", "not that of"), ("{}", "not that of")]
    {
        let (code, text) = error_at(&format!("http://{}", canned("200 OK", body)));
        assert_eq!(code, Code::Config);
        assert!(text.contains("is no Elasticsearch") && text.contains(found), "{text}");
    }
}

#[test]
fn an_address_that_is_none_is_named_without_its_password() {
    for url in ["localhost:9200", "ftp://elastic:geheim@localhost", ""] {
        let (code, text) = error_at(url);
        assert_eq!(code, Code::Config);
        assert!(text.contains("is no http or https address"), "{text}");
    }
}

#[test]
fn a_missing_certificate_authority_is_named() {
    let settings = IndexSettings { ca_file: Some("/nowhere/ca.pem".into()), ..IndexSettings::default() };
    let error = Index::connect(&settings, &Shutdown::new()).err().unwrap();
    assert_eq!(error.code(), Code::Config);
    assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
}

#[test]
fn the_supported_server_says_its_version() {
    let Some(server) = address() else { return };
    let settings = IndexSettings { url: Secret::new(server), ..IndexSettings::default() };
    let index = Index::connect(&settings, &Shutdown::new()).unwrap();
    assert!(index.version().starts_with("8.19."), "{}", index.version());
}

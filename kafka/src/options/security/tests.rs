use super::*;

const ALL: &str = "gzip,ssl,sasl,sasl_plain,sasl_scram,sasl_oauthbearer,oidc";

fn with_user() -> SecuritySettings {
    SecuritySettings {
        kafka_security: Protocol::SaslSsl,
        kafka_user: Some("ufo".into()),
        kafka_password: Some(Secret::new("hunter2")),
        ..SecuritySettings::default()
    }
}

fn fault(settings: &SecuritySettings) -> Fault {
    settings.fault(ALL).expect("a fault")
}

#[test]
fn nothing_is_secured_unless_it_is_asked_for() {
    let settings = SecuritySettings::default();
    assert_eq!(settings.fault(""), None);
    assert_eq!(settings.properties(), [("security.protocol".to_owned(), "plaintext".to_owned())].into());
}

#[test]
fn a_user_over_tls() {
    let settings = with_user();
    assert_eq!(settings.fault(ALL), None);
    let properties = settings.properties();
    let of = |name: &str| properties.get(name).map(String::as_str);
    assert_eq!(of("security.protocol"), Some("sasl_ssl"));
    assert_eq!(of("sasl.mechanism"), Some("SCRAM-SHA-256"));
    assert_eq!((of("sasl.username"), of("sasl.password")), (Some("ufo"), Some("hunter2")));
    assert_eq!(of("sasl.oauthbearer.method"), None);
}

#[test]
fn a_client_of_an_oauth_server() {
    let settings = SecuritySettings {
        kafka_mechanism: Some(Mechanism::OauthBearer),
        kafka_token_url: Some("https://login/token".into()),
        ..with_user()
    };
    assert_eq!(settings.fault(ALL), None);
    let properties = settings.properties();
    assert_eq!(properties["sasl.oauthbearer.method"], "oidc");
    assert_eq!(properties["sasl.oauthbearer.client.secret"], "hunter2");
    assert!(!properties.contains_key("sasl.password"));
}

#[test]
fn what_the_program_was_built_without_is_said_with_how_to_build_it() {
    let (key, reason) = with_user().fault("sasl_plain").expect("no TLS");
    assert!(key == "kafka_security" && reason.contains("--features tls"), "{reason}");
    let oauth = SecuritySettings { kafka_mechanism: Some(Mechanism::OauthBearer), ..with_user() };
    let (key, reason) = oauth.fault("ssl,sasl_scram").expect("no OIDC");
    assert!(key == "kafka_mechanism" && reason.contains("--features oauth"), "{reason}");
    let plain = SecuritySettings {
        kafka_security: Protocol::SaslPlaintext,
        kafka_mechanism: Some(Mechanism::Plain),
        ..with_user()
    };
    assert_eq!(plain.fault("sasl_plain"), None);
}

#[test]
fn what_would_protect_nothing_is_refused() {
    let plaintext = SecuritySettings { kafka_security: Protocol::Plaintext, ..with_user() };
    assert_eq!(fault(&plaintext).0, "kafka_user");
    let password = SecuritySettings { kafka_user: None, ..plaintext };
    assert_eq!(fault(&password).0, "kafka_password");
    let authority = SecuritySettings { kafka_ca: Some("ca.pem".into()), ..SecuritySettings::default() };
    assert_eq!(fault(&authority).0, "kafka_ca");
}

#[test]
fn what_belongs_together_is_asked_for() {
    assert_eq!(fault(&SecuritySettings { kafka_user: None, ..with_user() }).0, "kafka_user");
    let (key, reason) = fault(&SecuritySettings { kafka_password: None, ..with_user() });
    assert!(key == "kafka_password" && reason.contains("UFO_KAFKA_PASSWORD_FILE"), "{reason}");
    let oauth = SecuritySettings { kafka_mechanism: Some(Mechanism::OauthBearer), ..with_user() };
    assert_eq!(fault(&oauth).0, "kafka_token_url");
    assert_eq!(
        fault(&SecuritySettings { kafka_certificate: Some("a".into()), ..with_user() }).0,
        "kafka_key"
    );
    assert_eq!(
        fault(&SecuritySettings { kafka_key: Some("a".into()), ..with_user() }).0,
        "kafka_certificate"
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let (key, reason) = fault(&SecuritySettings { kafka_ca: Some("/nowhere/ca.pem".into()), ..with_user() });
    assert!(key == "kafka_ca" && reason.contains("/nowhere/ca.pem"), "{reason}");
}

#[test]
fn passwords_are_not_shown() {
    let shown = format!("{:?}", with_user());
    assert!(!shown.contains("hunter2"), "{shown}");
}

//! The server's address without its credentials, and the credentials without the address. Pure.

use elasticsearch::auth::Credentials;
use percent_encoding::percent_decode_str;
use url::Url;

use super::error::IndexError;
use super::settings::IndexSettings;

/// An address that may be shown.
pub(super) fn address_of(settings: &IndexSettings) -> Result<Url, IndexError> {
    let mut url = parse(settings)?;
    // Only addresses without a host refuse this, and those were refused before.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// The strongest that is given: API key, then user and password, then those in the address.
pub(super) fn credentials_of(settings: &IndexSettings) -> Result<Option<Credentials>, IndexError> {
    let url = parse(settings)?;
    if let Some(key) = &settings.api_key {
        return Ok(Some(Credentials::EncodedApiKey(key.reveal().trim().to_owned())));
    }
    if let Some(user) = &settings.user {
        let password = settings.password.as_ref().map(|password| password.reveal().to_owned());
        return Ok(Some(Credentials::Basic(user.clone(), password.unwrap_or_default())));
    }
    if url.username().is_empty() {
        return Ok(None);
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Ok(Some(Credentials::Basic(decoded(url.username()), decoded(url.password().unwrap_or_default()))))
}

/// The reason never repeats the address: it may hold a password.
fn parse(settings: &IndexSettings) -> Result<Url, IndexError> {
    let bad = |reason: &str| IndexError::Address { reason: reason.to_owned() };
    if let Some(key) = &settings.api_key
        && !key.reveal().trim().bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Err(bad("the API key has characters that no header can hold"));
    }
    let url = Url::parse(settings.url.reveal().trim()).map_err(|error| bad(&error.to_string()))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err(bad("write it as http://localhost:9200 or https://user:password@host:9200")),
    }
}

#[cfg(test)]
mod tests {
    use service::Secret;

    use super::*;

    fn settings(url: &str) -> IndexSettings {
        IndexSettings { url: Secret::new(url), ..IndexSettings::default() }
    }

    #[test]
    fn credentials_leave_the_address() {
        let settings = settings("https://el%40stic:p%2Fss@search:9243/base?token=1");
        assert_eq!(address_of(&settings).unwrap().as_str(), "https://search:9243/base");
        let Some(Credentials::Basic(user, password)) = credentials_of(&settings).unwrap() else {
            panic!("no user");
        };
        assert_eq!((user.as_str(), password.as_str()), ("el@stic", "p/ss"));
    }

    #[test]
    fn settings_are_stronger_than_the_address() {
        let mut settings = settings("http://a:b@host");
        settings.user = Some("c".into());
        assert!(
            matches!(credentials_of(&settings).unwrap(), Some(Credentials::Basic(user, _)) if user == "c")
        );
        settings.api_key = Some(Secret::new("a2V5"));
        assert!(matches!(credentials_of(&settings).unwrap(), Some(Credentials::EncodedApiKey(_))));
    }

    #[test]
    fn a_bad_address_is_named_without_its_password() {
        for bad in ["localhost:9200", "ftp://u:geheim@host", "", "http://u:geheim@", "u:geheim@host:9200"] {
            let error = address_of(&settings(bad)).unwrap_err().to_string();
            assert!(!error.contains("geheim"), "{error}");
        }
    }
}

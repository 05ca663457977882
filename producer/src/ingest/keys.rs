//! API keys: who has one may send.

use service::Secret;

/// Shorter ones could be guessed.
const KEY_BYTES_MIN: usize = 16;

/// The keys that are taken, as hashes: comparing hashes takes the same time whatever is compared, and tells nothing about the
/// keys' lengths.
#[derive(Clone, Default)]
pub(super) struct Keys(Vec<blake3::Hash>);

/// Keys that cannot be used; nothing of them is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeysError {
    #[error("holds no key: leave it out where none is asked for")]
    None,
    #[error(
        "must hold keys of at least {KEY_BYTES_MIN} characters, separated by blanks, commas or line ends"
    )]
    TooShort,
}

impl Keys {
    /// Several keys have blanks, commas or line ends between them: an old one can be taken beside a new one for a while.
    pub(super) fn of(secret: &Secret) -> Result<Self, KeysError> {
        let is_between = |character: char| character.is_whitespace() || character == ',';
        let keys: Vec<_> = secret.reveal().split(is_between).filter(|key| !key.is_empty()).collect();
        match keys.iter().map(|key| key.len()).min() {
            None => Err(KeysError::None),
            Some(shortest) if shortest < KEY_BYTES_MIN => Err(KeysError::TooShort),
            Some(_) => Ok(Self(keys.iter().map(|key| blake3::hash(key.as_bytes())).collect())),
        }
    }

    /// Nobody needs a key.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of this key. Every key is looked at, so that the time does not tell which one it was.
    pub(super) fn find(&self, key: &[u8]) -> Option<usize> {
        let hash = blake3::hash(key);
        let is_it = |known: &blake3::Hash| *known == hash;
        self.0
            .iter()
            .enumerate()
            .fold(None, |found, (number, known)| is_it(known).then_some(number).or(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Result<Keys, KeysError> {
        Keys::of(&Secret::new(text))
    }

    #[test]
    fn several_keys_are_taken_and_no_other() {
        let keys = keys("the-first-key-of-two,\n the-second-key-of-two\n").unwrap();
        assert_eq!(keys.find(b"the-first-key-of-two"), Some(0));
        assert_eq!(keys.find(b"the-second-key-of-two"), Some(1));
        for other in ["", "the-first-key-of-tw", "the-first-key-of-two ", "the-first-key-of-two,"] {
            assert_eq!(keys.find(other.as_bytes()), None, "{other:?}");
        }
        assert!(!keys.is_empty() && Keys::default().is_empty());
    }

    #[test]
    fn what_could_be_guessed_is_no_key() {
        assert_eq!(keys("a-long-enough-first-key short").err(), Some(KeysError::TooShort));
        assert_eq!(keys(" ,\n").err(), Some(KeysError::None));
    }
}

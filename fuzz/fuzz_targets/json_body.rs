//! A record of the source: decoded, and judged under the key that it asks for.
#![no_main]

use std::sync::LazyLock;

use domain::{Atlas, RawRecord, judge, wire};
use libfuzzer_sys::fuzz_target;

static ATLAS: LazyLock<Atlas> = LazyLock::new(Atlas::new);

fuzz_target!(|value: &[u8]| {
    let key = wire::decode_raw(value).ok().map(|raw| raw.id().to_hex());
    judge(RawRecord { key: key.as_ref().map(|key| key.as_slice()), value: Some(value) }, &ATLAS);
});

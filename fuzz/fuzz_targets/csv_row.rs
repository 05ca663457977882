//! A CSV file, row by row, into records.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use producer::input::Input;
use producer::rows::Rows;

fuzz_target!(|bytes: &[u8]| {
    let Ok(input) = Input::new("fuzz".into(), Box::new(Cursor::new(bytes.to_vec())), None) else { return };
    let Ok(mut rows) = Rows::new(input) else { return };
    let mut record = Vec::new();
    while let Ok(Some(_)) = rows.next_into(&mut record) {
        record.clear();
    }
});

//! One line for each kind of dirt in the contract: the row's columns as found => fields of the sighting.
//!
//! Each case changes a clean row (`support::CLEAN`), goes through `ufo.raw` and is compared on the wire.
//! Flags are compared in every case: where a line names none, there must be none.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod golden {
    mod cases;
    mod rejected;
    mod support;
}

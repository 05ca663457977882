//! What the crate promises, on every store that it knows: memory, a folder, and MinIO where `UFO_S3_ENDPOINT` names one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod contract;
mod engines;
mod faults;
mod faulty;
mod killed;
mod place;
mod rows;
mod settings;

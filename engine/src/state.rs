//! State of a stage: what is committed, and over it the changes of the open transaction.

mod ids;
mod keyed;

pub use ids::IdSet;
pub use keyed::KeyedStore;

/// State that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error(
        "the changelog holds a record at offset {offset} that is not ours ({what}): is another program writing to this topic?"
    )]
    Corrupt { offset: u64, what: String },
}

//! The sink: writes what the topics hold into the lake and the index, each record once in each.

pub mod lake;

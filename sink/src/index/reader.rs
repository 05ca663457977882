//! Reads an index back, for whoever holds it against the topics.

use std::sync::Arc;
use std::vec;

use domain::wire::{WireError, decode_aggregate};
use domain::{Aggregate, Key, View};
use elasticsearch::http::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::client::Index;
use super::error::IndexError;

/// Elasticsearch gives no more at once unless an index is told so.
const PAGE_DOCUMENTS: usize = 10_000;
/// Documents with their content are some hundred bytes each.
const SOURCE_PAGE_DOCUMENTS: usize = 2_000;
/// How long the server keeps a view of the index between two pages.
const KEEP_ALIVE: &str = "2m";

/// A document as the index has it.
#[derive(Debug, Deserialize)]
pub struct Found {
    #[serde(rename = "_id")]
    pub id: String,
    /// The record's offset, plus one.
    #[serde(rename = "_version")]
    pub version: u64,
    /// Null where only ids were asked for.
    #[serde(rename = "_source")]
    pub source: Option<Box<RawValue>>,
    sort: Vec<Value>,
}

#[derive(Deserialize)]
struct Page {
    pit_id: String,
    #[serde(default)]
    hits: Hits,
}

#[derive(Default, Deserialize)]
struct Hits {
    #[serde(default)]
    hits: Vec<Found>,
}

/// The documents of an index as it was when reading began. The reading ends with the first error.
pub struct Documents {
    index: Index,
    pit: String,
    after: Option<Vec<Value>>,
    page: vec::IntoIter<Found>,
    has_source: bool,
    is_over: bool,
}

impl Index {
    /// Ids and versions of all documents of an index or alias, in no order; what was written before is in it.
    pub fn ids(&self, index: &str) -> Result<Documents, IndexError> {
        self.documents(index, false)
    }

    /// All documents of an index or alias with their content.
    pub fn sources(&self, index: &str) -> Result<Documents, IndexError> {
        self.documents(index, true)
    }

    /// How many documents an index or alias has; what was written before counts.
    pub fn count(&self, index: &str) -> Result<u64, IndexError> {
        #[derive(Deserialize)]
        struct Count {
            count: u64,
        }
        self.refresh(index)?;
        let count: Option<Count> = self.read(Method::Get, &format!("/{index}/_count"))?;
        count.map(|count| count.count).ok_or_else(|| missing(index))
    }

    /// The aggregates of an index or alias, with their record keys as the topic has them.
    pub fn aggregates(
        &self,
        index: &str,
    ) -> Result<impl Iterator<Item = Result<(View, Key, Aggregate), IndexError>> + use<>, IndexError> {
        let server: Arc<str> = self.client.server().into();
        let request = format!("/{index}/_search");
        let decoded = move |found: Result<Found, IndexError>| {
            let found = found?;
            let source = found.source.as_ref().map_or("", |source| source.get());
            decode_aggregate(source.as_bytes()).map_err(|source: WireError| IndexError::Answer {
                server: server.to_string(),
                request: request.clone(),
                source: source.into(),
            })
        };
        Ok(self.sources(index)?.map(decoded))
    }

    /// Makes what was written visible.
    pub fn refresh(&self, index: &str) -> Result<(), IndexError> {
        match self.ask(Method::Post, &format!("/{index}/_refresh"), None)? {
            Some(_) => Ok(()),
            None => Err(missing(index)),
        }
    }

    fn documents(&self, index: &str, has_source: bool) -> Result<Documents, IndexError> {
        #[derive(Deserialize)]
        struct Pit {
            id: String,
        }
        self.refresh(index)?;
        let pit: Pit = self
            .read(Method::Post, &format!("/{index}/_pit?keep_alive={KEEP_ALIVE}"))?
            .ok_or_else(|| missing(index))?;
        let page = Vec::new().into_iter();
        Ok(Documents { index: self.clone(), pit: pit.id, after: None, page, has_source, is_over: false })
    }
}

fn missing(index: &str) -> IndexError {
    IndexError::Missing { name: index.to_owned() }
}

impl Documents {
    fn next_page(&mut self) -> Result<(), IndexError> {
        let mut body = json!({
            "size": if self.has_source { SOURCE_PAGE_DOCUMENTS } else { PAGE_DOCUMENTS },
            "pit": { "id": self.pit, "keep_alive": KEEP_ALIVE },
            "sort": ["_shard_doc"],
            "track_total_hits": false,
            "version": true,
            "_source": self.has_source,
        });
        if let Some(after) = self.after.take() {
            body["search_after"] = Value::Array(after);
        }
        let path = "/_search?filter_path=pit_id,hits.hits";
        let answer = self.index.ask(Method::Post, path, Some(&body))?.unwrap_or_default();
        let page: Page = serde_json::from_slice(&answer).map_err(|source| IndexError::Answer {
            server: self.index.client.server().to_owned(),
            request: "/_search".into(),
            source: source.into(),
        })?;
        self.pit = page.pit_id;
        self.after = page.hits.hits.last().map(|last| last.sort.clone());
        self.is_over = page.hits.hits.is_empty();
        self.page = page.hits.hits.into_iter();
        Ok(())
    }
}

impl Iterator for Documents {
    type Item = Result<Found, IndexError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(found) = self.page.next() {
                return Some(Ok(found));
            }
            if self.is_over {
                return None;
            }
            if let Err(error) = self.next_page() {
                self.is_over = true;
                return Some(Err(error));
            }
        }
    }
}

impl Drop for Documents {
    /// The server would keep its view for two minutes otherwise; that it may is no harm.
    fn drop(&mut self) {
        let _ = self.index.ask(Method::Delete, "/_pit", Some(&json!({ "id": self.pit })));
    }
}

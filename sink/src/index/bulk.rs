//! Batches of documents as `_bulk` bodies: bounded, their buffers used again. Pure.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};
use engine::record::{NextOffset, Partition, Record};

use super::document::{Action, Document, Kind};
use super::refused::Refusal;

/// When a batch is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub bytes: usize,
    pub documents: usize,
}

/// One document of a batch.
#[derive(Clone, Debug)]
pub struct Item {
    pub id: Box<str>,
    pub partition: Partition,
    pub offset: u64,
    pub action: Action,
    /// Its lines in the body.
    lines: Range<usize>,
    /// Where the source begins in its lines.
    source: usize,
    /// A newer record of the same key is in the same batch.
    is_superseded: bool,
}

/// Documents that go to the server together.
#[derive(Debug)]
pub struct Batch {
    kind: Kind,
    body: BytesMut,
    items: Vec<Item>,
    superseded: usize,
    /// The last document of each key; filled only where keys come again.
    last_of_key: HashMap<Box<str>, usize>,
    positions: BTreeMap<Partition, NextOffset>,
    unreadable: Vec<Refusal>,
}

impl Batch {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            body: BytesMut::new(),
            items: Vec::new(),
            superseded: 0,
            last_of_key: HashMap::new(),
            positions: BTreeMap::new(),
            unreadable: Vec::new(),
        }
    }

    /// Adds a record. What is no document is kept as a refusal: it must not hold the others up.
    pub fn push(&mut self, record: &Record<'_>, document: &mut Document) {
        self.positions.insert(record.partition, NextOffset::after(record.offset));
        match document.read(self.kind, record) {
            Ok(action) => self.push_document(record, document, action),
            Err(error) => self.unreadable.push(Refusal {
                id: record.key.map(|key| String::from_utf8_lossy(key).into_owned()).unwrap_or_default(),
                partition: record.partition.0,
                offset: record.offset,
                status: None,
                kind: "unreadable_record".into(),
                reason: error.to_string(),
                document: None,
                bytes: record.value.map(|value| STANDARD.encode(value)),
            }),
        }
    }

    fn push_document(&mut self, record: &Record<'_>, document: &Document, action: Action) {
        let start = self.body.len();
        let name: &[u8] = match action {
            Action::Index => b"{\"index\":{\"_id\":",
            Action::Delete => b"{\"delete\":{\"_id\":",
        };
        self.body.put_slice(name);
        // A buffer in memory takes whatever is written.
        let _ = serde_json::to_writer((&mut self.body).writer(), &document.id);
        self.body.put_slice(b",\"version_type\":\"external\",\"version\":");
        let _ = serde_json::to_writer((&mut self.body).writer(), &document.version);
        self.body.put_slice(b"}}\n");
        let source = self.body.len() - start;
        if action == Action::Index {
            self.body.put_slice(&document.source);
            self.body.put_u8(b'\n');
        }
        let item = Item {
            id: document.id.as_str().into(),
            partition: record.partition,
            offset: record.offset,
            action,
            lines: start..self.body.len(),
            source,
            is_superseded: false,
        };
        self.keep_last(&item);
        self.items.push(item);
    }

    /// Two writes of one id in one request would be two versions for nothing; a topic with every key once is spared
    /// the look-up. A tombstone may follow its record, which versions put in order.
    fn keep_last(&mut self, item: &Item) {
        if self.kind == Kind::Aggregates
            && let Some(older) = self.last_of_key.insert(item.id.clone(), self.items.len())
        {
            self.items[older].is_superseded = true;
            self.superseded += 1;
        }
    }

    /// True where another record should go to the next batch.
    pub fn is_full(&self, bounds: Bounds) -> bool {
        self.body.len() >= bounds.bytes || self.documents() + self.unreadable.len() >= bounds.documents
    }

    /// True where no record has come since the batch was begun.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty() && self.items.is_empty()
    }

    /// Documents to be sent.
    pub fn documents(&self) -> usize {
        self.items.len() - self.superseded
    }

    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The documents to be sent, in their order.
    pub fn live(&self) -> Vec<usize> {
        (0..self.items.len()).filter(|index| !self.items[*index].is_superseded).collect()
    }

    /// One past the last record of each partition: what may be committed once all documents are confirmed.
    pub fn take_positions(&mut self) -> BTreeMap<Partition, NextOffset> {
        std::mem::take(&mut self.positions)
    }

    /// Somebody else answers for these partitions now.
    pub fn forget(&mut self, partitions: &[Partition]) {
        self.positions.retain(|partition, _| !partitions.contains(partition));
    }

    pub fn take_unreadable(&mut self) -> Vec<Refusal> {
        std::mem::take(&mut self.unreadable)
    }

    /// Ends the writing: bodies share the memory from here on.
    pub fn seal(mut self) -> Sealed {
        let body = std::mem::take(&mut self.body).freeze();
        Sealed { batch: self, body }
    }
}

/// A batch whose body is being sent.
#[derive(Debug)]
pub struct Sealed {
    batch: Batch,
    body: Bytes,
}

impl Sealed {
    pub fn kind(&self) -> Kind {
        self.batch.kind
    }

    pub fn items(&self) -> &[Item] {
        &self.batch.items
    }

    pub fn live(&self) -> Vec<usize> {
        self.batch.live()
    }

    /// The lines of these documents; without a copy where it is all of them.
    pub fn body_of(&self, documents: &[usize]) -> Bytes {
        if documents.len() == self.batch.items.len() {
            return self.body.clone();
        }
        let lines = || documents.iter().map(|index| self.batch.items[*index].lines.clone());
        let mut body = BytesMut::with_capacity(lines().map(|lines| lines.len()).sum());
        for lines in lines() {
            body.put_slice(&self.body[lines]);
        }
        body.freeze()
    }

    /// The source of a document; empty for a deletion.
    pub fn source_of(&self, document: usize) -> &[u8] {
        let item = &self.batch.items[document];
        self.body[item.lines.clone()][item.source..].trim_ascii_end()
    }

    /// An empty batch in the same memory, where nobody else holds on to it.
    pub fn recycle(self) -> Batch {
        let mut batch = self.batch;
        batch.items.clear();
        batch.superseded = 0;
        batch.last_of_key.clear();
        batch.positions.clear();
        batch.unreadable.clear();
        batch.body = self.body.try_into_mut().unwrap_or_default();
        batch.body.clear();
        batch
    }
}

/// Cuts a topic's records into batches.
#[derive(Debug)]
pub struct Batches {
    bounds: Bounds,
    open: Batch,
    full: VecDeque<Batch>,
    spare: Vec<Batch>,
    document: Document,
}

impl Batches {
    pub fn new(kind: Kind, bounds: Bounds) -> Self {
        let open = Batch::new(kind);
        Self { bounds, open, full: VecDeque::new(), spare: Vec::new(), document: Document::default() }
    }

    pub fn push(&mut self, record: &Record<'_>) {
        if self.open.is_full(self.bounds) {
            self.close();
        }
        self.open.push(record, &mut self.document);
    }

    /// The next batch that is full, or else also one that is not.
    pub fn next(&mut self, also_open: bool) -> Option<Batch> {
        if self.full.is_empty() && !self.open.is_empty() && (also_open || self.open.is_full(self.bounds)) {
            self.close();
        }
        self.full.pop_front()
    }

    /// True where at least one batch waits to be sent.
    pub fn has_full(&self) -> bool {
        !self.full.is_empty() || self.open.is_full(self.bounds)
    }

    pub fn is_empty(&self) -> bool {
        self.full.is_empty() && self.open.is_empty()
    }

    pub fn forget(&mut self, partitions: &[Partition]) {
        self.open.forget(partitions);
        self.full.iter_mut().for_each(|batch| batch.forget(partitions));
    }

    pub fn recycle(&mut self, sealed: Sealed) {
        self.spare.push(sealed.recycle());
    }

    fn close(&mut self) {
        let next = self.spare.pop().unwrap_or_else(|| Batch::new(self.open.kind));
        self.full.push_back(std::mem::replace(&mut self.open, next));
    }
}

#[cfg(test)]
mod tests {
    use domain::view::Part;
    use domain::{Aggregate, Key, View, wire};

    use super::*;

    const ROOMY: Bounds = Bounds { bytes: 1 << 20, documents: 1_000 };

    fn push(batches: &mut Batches, offset: u64, country: &str, count: u64) {
        let key = Key(vec![Part::Text(country.into())]).record_key(View::Country);
        let mut value = Vec::new();
        wire::encode_aggregate(View::Country, &key, &Aggregate { count, ..Aggregate::default() }, &mut value);
        batches.push(&Record {
            partition: Partition(0),
            offset,
            timestamp_ms: 0,
            key: Some(&key),
            value: Some(&value),
        });
    }

    fn lines(sealed: &Sealed, documents: &[usize]) -> Vec<String> {
        String::from_utf8(sealed.body_of(documents).to_vec()).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn only_the_last_record_of_a_key_is_sent() {
        let mut batches = Batches::new(Kind::Aggregates, ROOMY);
        for (offset, country) in ["us", "ca", "us", "us"].into_iter().enumerate() {
            push(&mut batches, offset as u64, country, offset as u64);
        }
        let mut batch = batches.next(true).unwrap();
        assert_eq!(batch.take_positions(), [(Partition(0), NextOffset::at(4))].into());
        let sealed = batch.seal();
        assert_eq!(sealed.live(), [1, 3]);
        let lines = lines(&sealed, &sealed.live());
        let action = r#"{"index":{"_id":"[\"country\",\"us\"]","version_type":"external","version":4}}"#;
        assert_eq!((lines.len(), lines[2].as_str()), (4, action));
        assert!(lines[3].contains(r#""count":3,"#) && lines[3].as_bytes() == sealed.source_of(3));
        assert!(batches.next(true).is_none());
    }

    #[test]
    fn a_tombstone_is_one_line() {
        let mut batches = Batches::new(Kind::Sightings, ROOMY);
        let key = Some(&b"bd6fdeb43fc3e6dd1aea2618a622e16f"[..]);
        batches.push(&Record { partition: Partition(1), offset: 6, timestamp_ms: 0, key, value: None });
        let sealed = batches.next(true).unwrap().seal();
        let line =
            r#"{"delete":{"_id":"bd6fdeb43fc3e6dd1aea2618a622e16f","version_type":"external","version":7}}"#;
        assert_eq!(lines(&sealed, &[0]), [line]);
        assert_eq!(sealed.source_of(0), b"");
    }

    #[test]
    fn batches_are_bounded_by_documents_and_by_bytes() {
        for bounds in [Bounds { documents: 3, ..ROOMY }, Bounds { bytes: 1_000, ..ROOMY }] {
            let mut batches = Batches::new(Kind::Aggregates, bounds);
            (0..10).for_each(|offset| push(&mut batches, offset, &format!("c{offset}"), 1));
            let full: Vec<_> =
                std::iter::from_fn(|| batches.next(false)).map(|batch| batch.documents()).collect();
            assert_eq!(full, [3, 3, 3]);
            assert!(!batches.has_full() && !batches.is_empty());
            assert_eq!(batches.next(true).unwrap().documents(), 1);
        }
    }

    #[test]
    fn what_is_no_document_holds_nothing_up_and_is_not_lost() {
        let mut batches = Batches::new(Kind::Sightings, ROOMY);
        let (key, value) = (Some(&b"k"[..]), Some(&b"nonsense"[..]));
        batches.push(&Record { partition: Partition(1), offset: 6, timestamp_ms: 0, key, value });
        let mut batch = batches.next(true).unwrap();
        assert_eq!(batch.take_positions(), [(Partition(1), NextOffset::at(7))].into());
        let refusals = batch.take_unreadable();
        assert_eq!((refusals[0].id.as_str(), refusals[0].bytes.as_deref()), ("k", Some("bm9uc2Vuc2U=")));
        assert!(batch.seal().live().is_empty());
    }

    #[test]
    fn memory_is_used_again() {
        let mut batches = Batches::new(Kind::Aggregates, Bounds { documents: 2, ..ROOMY });
        (0..2).for_each(|offset| push(&mut batches, offset, "us", 1));
        let sealed = batches.next(true).unwrap().seal();
        drop(sealed.body_of(&[0, 1]));
        let address = sealed.body.as_ptr();
        batches.recycle(sealed);
        (2..4).for_each(|offset| push(&mut batches, offset, "us", 1));
        assert_eq!(batches.next(true).unwrap().documents(), 1);
        push(&mut batches, 4, "us", 1);
        let again = batches.next(true).unwrap().seal();
        assert_eq!((again.body.as_ptr(), again.live().len(), again.items().len()), (address, 1, 1));
    }
}

//! Server-sent events: all parts at first, then those that have changed, a few times a second at most.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use hashbrown::HashSet;
use hyper::StatusCode;
use hyper::header::RETRY_AFTER;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{self, Instant};

use super::answers::{Site, apart, filter};
use crate::cells::Cells;
use crate::filter::Filter;
use crate::rendered::{Rendered, object};
use crate::shared::Shared;

/// Within a second of the commit, together with what the reader and the browser take.
const PAUSE: Duration = Duration::from_millis(250);
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Each costs a little memory and a share of each change.
const VISITORS_MAX: usize = 64;
/// Sent when a visitor comes; what follows is in `flow`.
const ONCE: &str = "history";

/// Those who watch.
#[derive(Clone)]
pub(super) struct Visitors(Arc<Semaphore>);

impl Default for Visitors {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(VISITORS_MAX)))
    }
}

pub(super) async fn events(State(site): State<Site>, RawQuery(query): RawQuery) -> Response {
    let filter = match filter(query.as_deref()) {
        Ok(filter) => filter,
        Err(answer) => return answer,
    };
    let Ok(place) = site.visitors.0.try_acquire_owned() else {
        let answer = (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "10")], "too many watch this page\n");
        return answer.into_response();
    };
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Sse::new(updates(Visitor::new(site.shared, filter, place))).keep_alive(keep_alive).into_response()
}

struct Visitor {
    shared: Shared,
    filter: Filter,
    changes: watch::Receiver<u64>,
    /// What was sent last of each part.
    sent: HashMap<&'static str, u64>,
    outlined: HashSet<String>,
    next_at: Option<Instant>,
    _place: OwnedSemaphorePermit,
}

/// Made when it is asked for: a visitor who reads slowly gets fewer updates, not a longer queue.
fn updates(visitor: Visitor) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(visitor, |mut visitor| async move {
        let update = visitor.update().await?;
        Some((Ok(Event::default().event("update").data(update)), visitor))
    })
}

impl Visitor {
    fn new(shared: Shared, filter: Filter, place: OwnedSemaphorePermit) -> Self {
        let changes = shared.changes();
        Self {
            shared,
            filter,
            changes,
            sent: HashMap::new(),
            outlined: HashSet::new(),
            next_at: None,
            _place: place,
        }
    }

    /// The next update, as soon as something has changed. Nothing when the page ends.
    async fn update(&mut self) -> Option<String> {
        loop {
            if let Some(next_at) = self.next_at {
                self.changes.changed().await.ok()?;
                time::sleep_until(next_at).await;
            }
            self.next_at = Some(Instant::now() + PAUSE);
            self.changes.mark_unchanged();
            let (shared, filter) = (self.shared.clone(), self.filter.clone());
            let rendered = apart(move || shared.rendered(&filter)).await?;
            if let Some(update) = self.changed(&rendered) {
                return Some(update);
            }
        }
    }

    fn changed(&mut self, rendered: &Rendered) -> Option<String> {
        let is_first = self.sent.is_empty();
        let changed: Vec<_> = rendered
            .parts
            .iter()
            .filter(|part| self.sent.insert(part.name, part.hash) != Some(part.hash))
            .filter(|part| is_first || part.name != ONCE)
            .collect();
        if changed.is_empty() {
            return None;
        }
        let outlines = self.outlines(&rendered.cells);
        let outlines = (!outlines.is_empty()).then(|| serde_json::to_string(&outlines).unwrap_or_default());
        let outlines = outlines.iter().map(|json| ("outlines", &**json));
        Some(object(outlines.chain(changed.iter().map(|part| (part.name, &*part.json)))))
    }

    /// Of the cells that the visitor does not know yet.
    fn outlines(&mut self, cells: &[String]) -> Vec<(String, Vec<f64>)> {
        let mut new = Cells::default();
        for cell in cells {
            if !self.outlined.contains(cell) {
                self.outlined.insert(cell.clone());
                new.number(cell);
            }
        }
        new.outlines(0)
    }
}

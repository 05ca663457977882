//! The request to stop as a future: woken by the token itself, so that any runtime will do.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::Shutdown;

/// Ready once the request is there.
#[derive(Debug)]
pub struct Requested {
    shutdown: Shutdown,
    /// Its place among the wakers, once it has been polled.
    id: Option<u64>,
}

impl Requested {
    pub(super) fn new(shutdown: Shutdown) -> Self {
        Self { shutdown, id: None }
    }
}

impl Future for Requested {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let shutdown = self.shutdown.clone();
        let mut wakers = shutdown.wakers();
        // Asked with the lock held: a request between the question and the entry would wake nobody.
        if shutdown.is_requested() {
            return Poll::Ready(());
        }
        let id = *self.id.get_or_insert_with(|| wakers.new_id());
        wakers.set(id, context.waker());
        Poll::Pending
    }
}

impl Drop for Requested {
    fn drop(&mut self) {
        // Futures that lost a race (`select!`) would pile up otherwise: one per loop, for as long as the process lives.
        if let Some(id) = self.id {
            self.shutdown.wakers().remove(id);
        }
    }
}

/// Who is to be woken.
#[derive(Debug, Default)]
pub(super) struct Wakers {
    last_id: u64,
    waiting: Vec<(u64, Waker)>,
}

impl Wakers {
    pub(super) fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.waiting).into_iter().map(|(_, waker)| waker)
    }

    fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn set(&mut self, id: u64, waker: &Waker) {
        match self.waiting.iter_mut().find(|(of, _)| *of == id) {
            Some((_, known)) => known.clone_from(waker),
            None => self.waiting.push((id, waker.clone())),
        }
    }

    fn remove(&mut self, id: u64) {
        self.waiting.retain(|(of, _)| *of != id);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_request_wakes_a_future_once() {
        let shutdown = Shutdown::new();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let mut requested = Box::pin(shutdown.requested());
        assert!(requested.as_mut().poll(&mut context).is_pending());
        assert!(requested.as_mut().poll(&mut context).is_pending());
        shutdown.request();
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert!(requested.as_mut().poll(&mut context).is_ready());
        assert!(Box::pin(shutdown.requested()).as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn the_last_waker_is_the_one_that_is_woken() {
        let shutdown = Shutdown::new();
        let (first, last) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
        let mut requested = Box::pin(shutdown.requested());
        for woken in [&first, &last] {
            let waker = Waker::from(Arc::clone(woken));
            assert!(requested.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        shutdown.request();
        assert_eq!([first, last].map(|woken| woken.0.load(Ordering::Relaxed)), [0, 1]);
    }

    #[test]
    fn a_dropped_future_leaves_nothing() {
        let shutdown = Shutdown::new();
        for _ in 0..3 {
            let mut requested = Box::pin(shutdown.requested());
            assert!(requested.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        assert!(shutdown.wakers().waiting.is_empty());
    }
}

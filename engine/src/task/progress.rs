//! How far restoring is, told every few seconds: a large state takes minutes.

use std::time::Duration;

use crate::clock::Clock;
use crate::observer::{Moment, Observer};
use crate::record::Partition;

const TOLD_EVERY: Duration = Duration::from_secs(2);
/// The clock is looked at once for so many records.
const LOOK_EVERY: u64 = 1024;

/// Whom restoring tells.
#[derive(Clone, Copy)]
pub(crate) struct Watcher<'w> {
    pub(crate) clock: &'w dyn Clock,
    pub(crate) observer: &'w dyn Observer,
}

pub(super) struct Progress<'w> {
    watcher: Watcher<'w>,
    stage: &'static str,
    partition: Partition,
    /// Offsets of all changelogs together, and of those that are through.
    of: u64,
    through: u64,
    pub(super) records: u64,
    begun: Duration,
    told: Duration,
}

impl<'w> Progress<'w> {
    pub(super) fn new(watcher: Watcher<'w>, stage: &'static str, partition: Partition, of: u64) -> Self {
        let begun = watcher.clock.now();
        Self { watcher, stage, partition, of, through: 0, records: 0, begun, told: begun }
    }

    /// A record of the changelog that is being read.
    pub(super) fn record(&mut self, offset: u64) {
        self.records += 1;
        if !self.records.is_multiple_of(LOOK_EVERY) {
            return;
        }
        let now = self.watcher.clock.now();
        if now.saturating_sub(self.told) >= TOLD_EVERY {
            self.told = now;
            let records = self.through + offset + 1;
            let took = now.saturating_sub(self.begun);
            self.tell(&Moment::Restoring { partition: self.partition, records, of: self.of, took });
        }
    }

    /// The changelog that ends there is through.
    pub(super) fn through(&mut self, end: u64) {
        self.through += end;
    }

    pub(super) fn done(&self) {
        let took = self.watcher.clock.now().saturating_sub(self.begun);
        self.tell(&Moment::Restored { partition: self.partition, records: self.records, took });
    }

    fn tell(&self, moment: &Moment) {
        self.watcher.observer.observe(self.stage, moment);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A second passes with each look.
    #[derive(Default)]
    struct Slow(Mutex<u64>);

    impl Clock for Slow {
        fn now(&self) -> Duration {
            let mut seconds = self.0.lock().expect("not poisoned");
            *seconds += 1;
            Duration::from_secs(*seconds)
        }

        fn pause(&self, _: Duration) {}
    }

    #[derive(Default)]
    struct Heard(Mutex<Vec<Moment>>);

    impl Observer for Heard {
        fn observe(&self, stage: &'static str, moment: &Moment) {
            assert_eq!(stage, "clean");
            self.0.lock().expect("not poisoned").push(moment.clone());
        }
    }

    #[test]
    fn a_long_restore_is_told_every_few_seconds_and_at_its_end() {
        let (clock, heard, partition) = (Slow::default(), Heard::default(), Partition(3));
        let watcher = Watcher { clock: &clock, observer: &heard };
        let mut progress = Progress::new(watcher, "clean", partition, 10_000);
        (0..2_000).for_each(|offset| progress.record(offset));
        progress.through(4_000);
        (0..4_000).for_each(|offset| progress.record(offset));
        progress.done();
        let heard = heard.0.lock().expect("not poisoned").clone();
        let restoring = |records, took| Moment::Restoring {
            partition,
            records,
            of: 10_000,
            took: Duration::from_secs(took),
        };
        // The second and the fourth look, at 2048 and 4096 records.
        assert_eq!(heard[..2], [restoring(4_048, 2), restoring(6_096, 4)]);
        let last = Moment::Restored { partition, records: 6_000, took: Duration::from_secs(6) };
        assert_eq!(heard[2..], [last]);
    }
}

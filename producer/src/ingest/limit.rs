//! How many rows a second a client may send. Pure: time comes in as a parameter.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// More clients than this at a time are not told apart for ever: those that have nothing against them are forgotten.
const CLIENTS_MAX: usize = 10_000;

/// Who sends: by the API key where there are keys, else by the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Client {
    /// The number of its key.
    Key(usize),
    Peer(IpAddr),
}

/// An account of each client, into which a second's worth of rows fits.
///
/// A request is let in while its client's account is not overdrawn, and pays for its rows when they are counted: a request
/// of any size is possible, and whoever sent a large one waits longer before the next.
#[derive(Debug)]
pub(super) struct RateLimit {
    rows_per_s: u32,
    /// When each account will be full again.
    full_at: HashMap<Client, Instant>,
}

impl RateLimit {
    pub(super) fn new(rows_per_s: u32) -> Self {
        Self { rows_per_s: rows_per_s.max(1), full_at: HashMap::new() }
    }

    /// How long this client has to wait before its next request; `None`: it need not.
    pub(super) fn wait(&self, client: Client, now: Instant) -> Option<Duration> {
        let full_in = self.full_at.get(&client)?.saturating_duration_since(now);
        let overdrawn = full_in.saturating_sub(Duration::from_secs(1));
        (!overdrawn.is_zero()).then_some(overdrawn)
    }

    /// The client has sent so many rows.
    pub(super) fn charge(&mut self, client: Client, rows: usize, now: Instant) {
        if self.full_at.len() >= CLIENTS_MAX {
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        let price = Duration::from_secs_f64(rows as f64 / f64::from(self.rows_per_s));
        // Who comes when there are more than can be told apart is let in.
        if self.full_at.len() < CLIENTS_MAX || self.full_at.contains_key(&client) {
            let full_at = self.full_at.entry(client).or_insert(now);
            *full_at = (*full_at).max(now) + price;
        }
    }
}

#[cfg(test)]
mod tests {
    use service::clock;

    use super::*;

    const ME: Client = Client::Key(0);

    #[test]
    fn a_second_of_rows_passes_at_once_and_then_the_rate_holds() {
        let (mut limit, begun) = (RateLimit::new(100), clock::now());
        for _ in 0..10 {
            assert_eq!(limit.wait(ME, begun), None);
            limit.charge(ME, 10, begun);
        }
        assert_eq!(limit.wait(ME, begun), None, "a full second is no debt");
        limit.charge(ME, 50, begun);
        assert_eq!(limit.wait(ME, begun), Some(Duration::from_millis(500)));
        assert_eq!(limit.wait(ME, begun + Duration::from_millis(500)), None);
        assert_eq!(limit.wait(Client::Key(1), begun), None, "others are not asked to wait");
    }

    #[test]
    fn over_time_no_more_than_the_rate_passes_and_a_request_of_any_size_does() {
        let (mut limit, begun) = (RateLimit::new(100), clock::now());
        let mut rows = 0;
        for ms in 0..60_000 {
            let now = begun + Duration::from_millis(ms);
            if limit.wait(ME, now).is_none() {
                limit.charge(ME, 250, now);
                rows += 250;
            }
        }
        assert!((6_000..=6_350).contains(&rows), "{rows}");
    }

    #[test]
    fn clients_without_debts_are_forgotten() {
        let (mut limit, begun) = (RateLimit::new(1), clock::now());
        let client = |number: u32| Client::Peer(IpAddr::from(number.to_be_bytes()));
        for number in 0..3 * CLIENTS_MAX as u32 {
            limit.charge(client(number), 1, begun + Duration::from_millis(u64::from(number)));
        }
        assert!(limit.full_at.len() <= CLIENTS_MAX);
    }
}

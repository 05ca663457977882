//! What is known about a set of sightings: integers only, so that any order of adding gives the same digits.

use crate::civil::CivilTime;
use crate::quality::Flag;
use crate::sighting::Sighting;

/// Sums and extremes over a set of sightings. [`Aggregate::merge`] is commutative and associative, and
/// [`Aggregate::empty`] is its neutral element; means are derived, never kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aggregate {
    pub count: u64,
    pub with_duration: u64,
    pub total_duration_ms: u128,
    pub max_duration_ms: Option<u64>,
    /// Sightings whose duration is over seven days.
    pub implausible: u64,
    pub total_plausible_ms: u128,
    pub max_plausible_ms: Option<u64>,
    pub first_occurred_at: Option<CivilTime>,
    pub last_occurred_at: Option<CivilTime>,
}

impl Aggregate {
    pub fn empty() -> Self {
        Self::default()
    }

    pub fn of(sighting: &Sighting<'_>) -> Self {
        let is_implausible = sighting.quality.contains(Flag::DurationImplausible);
        let plausible = if is_implausible { None } else { sighting.duration_ms };
        Self {
            count: 1,
            with_duration: u64::from(sighting.duration_ms.is_some()),
            total_duration_ms: u128::from(sighting.duration_ms.unwrap_or(0)),
            max_duration_ms: sighting.duration_ms,
            implausible: u64::from(is_implausible),
            total_plausible_ms: u128::from(plausible.unwrap_or(0)),
            max_plausible_ms: plausible,
            first_occurred_at: Some(sighting.occurred_at),
            last_occurred_at: Some(sighting.occurred_at),
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.with_duration += other.with_duration;
        self.total_duration_ms += other.total_duration_ms;
        self.max_duration_ms = self.max_duration_ms.max(other.max_duration_ms);
        self.implausible += other.implausible;
        self.total_plausible_ms += other.total_plausible_ms;
        self.max_plausible_ms = self.max_plausible_ms.max(other.max_plausible_ms);
        self.first_occurred_at = earlier(self.first_occurred_at, other.first_occurred_at);
        self.last_occurred_at = self.last_occurred_at.max(other.last_occurred_at);
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Half up; null where no sighting has a duration.
    pub fn mean_duration_ms(&self) -> Option<u64> {
        mean_half_up(self.total_duration_ms, self.with_duration)
    }

    /// The mean over the durations of at most seven days; half up, null where there is none.
    pub fn mean_plausible_ms(&self) -> Option<u64> {
        mean_half_up(self.total_plausible_ms, self.with_duration.saturating_sub(self.implausible))
    }
}

/// `Ord` on `Option` puts `None` first, which is right for a maximum and wrong for a minimum.
fn earlier(left: Option<CivilTime>, right: Option<CivilTime>) -> Option<CivilTime> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}

fn mean_half_up(total: u128, count: u64) -> Option<u64> {
    let count = u128::from(count);
    let half_up = total.checked_add(count / 2)?.checked_div(count)?;
    u64::try_from(half_up).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_round_half_up() {
        assert_eq!(mean_half_up(5, 2), Some(3));
        assert_eq!(mean_half_up(4, 3), Some(1));
        assert_eq!(mean_half_up(5, 3), Some(2));
        assert_eq!(mean_half_up(1, 2), Some(1));
        assert_eq!(mean_half_up(7, 0), None);
    }
}

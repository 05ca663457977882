//! Random numbers that are the same on every machine, a stream of its own for every row, and weighted choices.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// Numbers that one row may draw before it would see those of the next: a hundred times what it needs.
const NUMBERS_PER_ROW: u128 = 4096;

#[derive(Clone, Debug)]
pub(super) struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Goes to the numbers of a row.
    pub(super) fn go_to_row(&mut self, row: u64) {
        self.0.set_word_pos(u128::from(row) * NUMBERS_PER_ROW);
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        let scaled = u64::from(self.0.next_u32()) * u64::from(end);
        // The high half of a product of two 32-bit numbers.
        (scaled >> 32) as u32
    }

    /// A number below `end`, which may be large.
    pub(super) fn below_u64(&mut self, end: u64) -> u64 {
        let scaled = u128::from(self.0.next_u64()) * u128::from(end);
        (scaled >> 64) as u64
    }

    /// A number from `low` up to and with `high`.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// True so many times in a thousand.
    pub(super) fn permille(&mut self, times: u32) -> bool {
        self.below(1_000) < times
    }

    pub(super) fn of<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.below(choices.len() as u32) as usize]
    }
}

/// Choices by weight, each drawn in constant time: Vose's alias method, in integers.
#[derive(Clone, Debug)]
pub(super) struct Weighted<T> {
    choices: Vec<T>,
    /// For each place the share of 2^32 that is its own, and whose the rest is.
    shares: Vec<(u32, u32)>,
}

impl<T> Weighted<T> {
    pub(super) fn new(choices: impl IntoIterator<Item = (T, u64)>) -> Self {
        let (choices, weights): (Vec<T>, Vec<u64>) = choices.into_iter().unzip();
        let count = weights.len() as u64;
        let total: u64 = weights.iter().sum();
        // In units of which each place holds `total`.
        let mut left: Vec<u64> = weights.iter().map(|weight| weight * count).collect();
        let mut shares = vec![(u32::MAX, 0); choices.len()];
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..choices.len()).partition(|index| left[*index] < total);
        while let (Some(under), Some(&over)) = (small.pop(), large.last()) {
            let own = (u128::from(left[under]) << 32) / u128::from(total);
            shares[under] = (own as u32, over as u32);
            left[over] -= total - left[under];
            if left[over] < total {
                large.pop();
                small.push(over);
            }
        }
        // What is left is full but for rounding.
        small.into_iter().chain(large).for_each(|index| shares[index] = (u32::MAX, index as u32));
        Self { choices, shares }
    }

    pub(super) fn draw(&self, random: &mut Random) -> &T {
        let place = random.below(self.shares.len() as u32) as usize;
        let (own, alias) = self.shares[place];
        let index = if random.0.next_u32() <= own { place } else { alias as usize };
        &self.choices[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_come_as_often_as_they_weigh() {
        let weights = [517_u64, 3, 0, 60, 1, 220, 199];
        let weighted = Weighted::new(weights.iter().enumerate().map(|(index, weight)| (index, *weight)));
        let mut random = Random::new(7);
        let mut counts = [0_i64; 7];
        for _ in 0..1_000_000 {
            counts[*weighted.draw(&mut random)] += 1;
        }
        for (count, weight) in counts.into_iter().zip(weights) {
            let expected = i64::try_from(weight).unwrap() * 1_000;
            assert!((count - expected).abs() <= 2_500.min(expected / 10 + 100), "{count} for {weight}");
        }
        assert_eq!(counts[2], 0, "no weight, no choice");
    }

    #[test]
    fn each_row_has_its_own_numbers_in_any_order() {
        let mut random = Random::new(1);
        let mut numbers = |row| {
            random.go_to_row(row);
            [random.below(u32::MAX), random.below(u32::MAX)]
        };
        let (one, two) = (numbers(1), numbers(10_000_000_000));
        assert_ne!(one, two);
        assert_eq!((numbers(10_000_000_000), numbers(1)), (two, one));
    }

    #[test]
    fn bounds_are_kept() {
        let mut random = Random::new(3);
        let drawn: Vec<u32> = (0..1_000).map(|_| random.between(3, 5)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&3), Some(&5)));
        assert!((0..1_000).all(|_| random.below_u64(2) < 2));
    }
}

//! The largest keys of each country, exactly, in bounded memory: a record holds its key's whole value, and values only grow,
//! so a key that was let go comes back with all of it when it has grown.

use domain::Country;
use hashbrown::HashMap;

/// How many keys a country has in any case; at most twice as many are held.
const KEPT: usize = 1_000;

/// Counts by country and text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Top(HashMap<Option<Country>, HashMap<Box<str>, u64>>);

impl Top {
    /// The key's count is this now. An older record than the one that is known changes nothing.
    pub(crate) fn set(&mut self, country: Option<Country>, text: &str, count: u64) {
        let keys = self.0.entry(country).or_default();
        match keys.get_mut(text) {
            Some(known) => *known = count.max(*known),
            None => {
                keys.insert(text.into(), count);
            }
        }
        if keys.len() > 2 * KEPT {
            let mut counts: Vec<_> = keys.iter().map(|(text, count)| (*count, text.clone())).collect();
            counts.select_nth_unstable_by(KEPT, by_count);
            for (_, text) in counts.drain(KEPT..) {
                keys.remove(&text);
            }
        }
    }

    /// Country, text, count of all that is held, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Option<Country>, &str, u64)> {
        self.0.iter().flat_map(|(country, keys)| keys.iter().map(|(text, count)| (*country, &**text, *count)))
    }
}

fn by_count(left: &(u64, Box<str>), right: &(u64, Box<str>)) -> std::cmp::Ordering {
    right.0.cmp(&left.0).then_with(|| left.1.cmp(&right.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn largest(top: &Top, count: usize) -> Vec<(u64, Box<str>)> {
        let mut all: Vec<_> = top.iter().map(|(_, text, count)| (count, text.into())).collect();
        all.sort_by(by_count);
        all.truncate(count);
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        #[test]
        fn the_largest_are_exact_however_many_there_are(growth in prop::collection::vec((0..5_000_u64, 1..50_u64), 8_000)) {
            let (mut top, mut all) = (Top::default(), std::collections::BTreeMap::new());
            for (key, more) in growth {
                let count = all.entry(key).or_insert(0_u64);
                *count += more;
                top.set(None, &format!("{key:04}"), *count);
            }
            let mut expected: Vec<_> =
                all.into_iter().map(|(key, count)| (count, format!("{key:04}").into_boxed_str())).collect();
            expected.sort_by(by_count);
            expected.truncate(100);
            prop_assert_eq!(largest(&top, 100), expected);
            prop_assert!(top.iter().count() <= 2 * KEPT);
        }
    }

    #[test]
    fn an_older_value_changes_nothing() {
        let mut top = Top::default();
        for count in [3, 7, 5, 7] {
            top.set(None, "light", count);
        }
        assert_eq!(largest(&top, 9), [(7, "light".into())]);
    }
}

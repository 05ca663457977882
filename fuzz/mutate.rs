// Seeded mutations of good inputs, for tests that include this file: every run of CI tries the same 10,000 inputs for each
// parser, and `UFO_SEED` others. The fuzz targets beside it look for more as long as one lets them.

use std::env;
use std::fmt::Write as _;

/// Inputs for each parser.
pub(crate) const INPUTS: usize = 10_000;

/// Hands mutated inputs to `check`. Where it panics, the seed and the input are shown.
pub(crate) fn each_mutated(test: &str, corpus: &[&[u8]], tokens: &[&[u8]], mut check: impl FnMut(&[u8])) {
    let seed = env::var("UFO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(9);
    eprintln!("{test}: UFO_SEED={seed}");
    let mut random = Random(seed);
    for number in 0..INPUTS {
        let input = mutated(&mut random, corpus, tokens);
        let shown = Shown { number, input: &input };
        check(&input);
        drop(shown);
    }
}

/// Shows the input if it is dropped by a panic.
struct Shown<'i> {
    number: usize,
    input: &'i [u8],
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let escaped = self.input.iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{}", byte.escape_ascii());
                text
            });
            eprintln!("input {}: b\"{escaped}\"", self.number);
        }
    }
}

/// One to eight changes of one of the corpus.
fn mutated(random: &mut Random, corpus: &[&[u8]], tokens: &[&[u8]]) -> Vec<u8> {
    let mut input = random.one_of(corpus).to_vec();
    for _ in 0..=random.below(8) {
        let (from, to) = (random.below(input.len() + 1), random.below(input.len() + 1));
        let range = from.min(to)..from.max(to);
        match random.below(8) {
            0 if !input.is_empty() => {
                let at = random.below(input.len());
                input[at] ^= 1 << random.below(8);
            }
            1 if !input.is_empty() => {
                let at = random.below(input.len());
                input[at] = u8::try_from(random.below(256)).unwrap_or(0);
            }
            2 => drop(input.drain(range)),
            3 => input.truncate(from),
            4 => {
                let piece = input[range].to_vec();
                input.splice(from..from, piece);
            }
            5 => {
                let other = random.one_of(corpus);
                let at = random.below(other.len() + 1);
                input.splice(from..from, other[at..].iter().copied());
            }
            _ => {
                let token = random.one_of(tokens);
                input.splice(from..from, token.iter().copied());
            }
        }
        // Doubled again and again it would only become slow.
        input.truncate(64 * 1024);
    }
    input
}

/// SplitMix64: the same numbers everywhere, and no dependency.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % (bound.max(1) as u64)).unwrap_or(0)
    }

    fn one_of<'t>(&mut self, of: &[&'t [u8]]) -> &'t [u8] {
        of[self.below(of.len())]
    }
}

//! Numbers that look random and are the same for the same seed (`SplitMix64`, <https://prng.di.unimi.it/splitmix64.c>).

pub(crate) fn mix(at: u64) -> u64 {
    let mut z = at.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A sequence of them.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    seed: u64,
    drawn: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed: mix(seed), drawn: 0 }
    }

    /// Less than `bound`; 0 when there is nothing below it.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.drawn = self.drawn.wrapping_add(1);
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(mix(self.seed.wrapping_add(self.drawn)) % bound).unwrap_or_default()
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn pick<'v, T>(&mut self, values: &'v [T]) -> Option<&'v T> {
        values.get(self.below(values.len()))
    }
}

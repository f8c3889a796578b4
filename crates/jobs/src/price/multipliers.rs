//! The four multipliers of a price: demand, location, TEE, reputation (whitepaper §3.2).

use serde::Serialize;
use types::{Ppm, Tee};

/// The cheapest and the dearest place to compute (DESIGN §6).
pub const LOCATION_MIN: Ppm = Ppm::new(800_000);
/// The dearest place computes at 1.50 of the base rates.
pub const LOCATION_MAX: Ppm = Ppm::new(1_500_000);

/// The best reputation there is; half of it is worth 1.00.
pub const REPUTATION_FULL: u16 = 10_000;

/// What the base rates are multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Multipliers {
    /// How much load raises prices.
    pub demand: Ppm,
    /// What computing in this place costs beside elsewhere.
    pub location: Ppm,
    /// What confidential hardware adds.
    pub tee: Ppm,
    /// What the worker's reputation adds or takes.
    pub reputation: Ppm,
}

/// Why a multiplier is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadMultiplier {
    #[error(
        "a location's multiplier must be between {LOCATION_MIN} and {LOCATION_MAX}, not {location}"
    )]
    Location { location: Ppm },
    #[error("a reputation is at most {REPUTATION_FULL}, not {score}")]
    Reputation { score: u16 },
}

impl BadMultiplier {
    /// The name of this fault in the API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Location { .. } => "location_multiplier",
            Self::Reputation { .. } => "reputation_score",
        }
    }
}

impl Multipliers {
    /// All 1.00: the base rates themselves.
    pub const ONE: Self =
        Self { demand: Ppm::ONE, location: Ppm::ONE, tee: Ppm::ONE, reputation: Ppm::ONE };

    pub(crate) const fn each(&self) -> [Ppm; 4] {
        [self.demand, self.location, self.tee, self.reputation]
    }
}

/// A location's multiplier, if it is one.
///
/// # Errors
/// [`BadMultiplier::Location`] outside 0.80 to 1.50.
pub fn location(location: Ppm) -> Result<Ppm, BadMultiplier> {
    if (LOCATION_MIN..=LOCATION_MAX).contains(&location) {
        Ok(location)
    } else {
        Err(BadMultiplier::Location { location })
    }
}

/// 1.00, 1.25 or 1.50 by what isolates the job.
pub const fn tee(tee: Tee) -> Ppm {
    match tee {
        Tee::None => Ppm::ONE,
        Tee::ConfidentialProcess => Ppm::new(1_250_000),
        Tee::ConfidentialVm => Ppm::new(1_500_000),
    }
}

/// 0.80 for a score of 0, 1.20 for 10,000 and linear between them, exactly: 40 ppm a point.
///
/// # Errors
/// [`BadMultiplier::Reputation`] above 10,000.
pub fn reputation(score: u16) -> Result<Ppm, BadMultiplier> {
    if score > REPUTATION_FULL {
        return Err(BadMultiplier::Reputation { score });
    }
    Ok(Ppm::new(800_000 + 40 * u32::from(score)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reputation_is_linear_and_half_of_it_is_one() {
        let of = |score| reputation(score).map(Ppm::get);
        assert_eq!(
            [0, 2_500, 5_000, 10_000].map(of),
            [Ok(800_000), Ok(900_000), Ok(1_000_000), Ok(1_200_000)]
        );
        assert_eq!(of(10_001), Err(BadMultiplier::Reputation { score: 10_001 }));
    }

    #[test]
    fn location_ends_where_the_design_says() {
        for (ppm, fine) in
            [(799_999, false), (800_000, true), (1_500_000, true), (1_500_001, false)]
        {
            assert_eq!(location(Ppm::new(ppm)).is_ok(), fine, "{ppm}");
        }
    }

    #[test]
    fn isolation_costs_a_quarter_and_a_half() {
        let shown = [Tee::None, Tee::ConfidentialProcess, Tee::ConfidentialVm]
            .map(|class| tee(class).to_string());
        assert_eq!(shown, ["1.00", "1.25", "1.50"]);
    }
}

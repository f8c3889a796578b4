//! Arm's tokens: CCA and PSA.
pub(crate) mod cca;
pub(crate) mod psa;

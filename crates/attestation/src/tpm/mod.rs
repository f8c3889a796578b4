//! TPM 2.0 quotes.
use crate::{Anchors, Claims, Collateral, Reject, TpmQuote, UnixSeconds};

pub(crate) fn verify(
    _anchors: &Anchors,
    _quote: &TpmQuote,
    _collateral: &Collateral,
    _now: UnixSeconds,
) -> Result<Claims, Reject> {
    Err(Reject::Missing { needed: "a verifier" })
}

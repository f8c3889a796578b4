//! Android Key Attestation.
use serde_bytes::ByteBuf;

use crate::{Anchors, Claims, Collateral, Reject, UnixSeconds};

pub(crate) fn verify(
    _anchors: &Anchors,
    _chain: &[ByteBuf],
    _collateral: &Collateral,
    _now: UnixSeconds,
) -> Result<Claims, Reject> {
    Err(Reject::Missing { needed: "a verifier" })
}

//! Apple App Attest.
use crate::{Anchors, Claims, Reject, UnixSeconds};

pub(crate) fn verify(
    _anchors: &Anchors,
    _attestation: &[u8],
    _app_id: &str,
    _client_data_hash: &[u8],
    _now: UnixSeconds,
) -> Result<Claims, Reject> {
    Err(Reject::Missing { needed: "a verifier" })
}

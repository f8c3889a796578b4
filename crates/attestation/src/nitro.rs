//! AWS Nitro.
use crate::{Anchors, Claims, Reject, UnixSeconds};

pub(crate) fn verify(_a: &Anchors, _q: &[u8], _n: UnixSeconds) -> Result<Claims, Reject> {
    todo!()
}

//! AMD SEV-SNP.
use crate::{Anchors, Claims, Collateral, Reject, UnixSeconds};

pub(crate) fn verify(_a: &Anchors, _q: &[u8], _c: &Collateral, _n: UnixSeconds) -> Result<Claims, Reject> {
    todo!()
}

//! Intel SGX and TDX quotes.
use crate::{Anchors, Claims, Collateral, Reject, UnixSeconds};

pub(crate) fn sgx(_a: &Anchors, _q: &[u8], _c: &Collateral, _n: UnixSeconds) -> Result<Claims, Reject> {
    todo!()
}
pub(crate) fn tdx(_a: &Anchors, _q: &[u8], _c: &Collateral, _n: UnixSeconds) -> Result<Claims, Reject> {
    todo!()
}

//! Batches of VRF proofs: each with the verdict it would get alone.

use crate::{BadVrf, VrfOutput, VrfProof, VrfPublicKey, VrfSuite};
use curve25519_dalek::EdwardsPoint;

/// One proof to check, with what it claims to prove.
#[derive(Clone, Copy, Debug)]
pub struct VrfClaim<'a> {
    /// Who is said to have proved it.
    pub public: &'a VrfPublicKey,
    /// By which suite.
    pub suite: VrfSuite,
    /// The message.
    pub alpha: &'a [u8],
    /// The proof.
    pub proof: &'a VrfProof,
}

impl VrfClaim<'_> {
    /// [`VrfPublicKey::verify`].
    ///
    /// # Errors
    /// [`BadVrf::Mismatch`].
    pub fn verify(&self) -> Result<VrfOutput, BadVrf> {
        self.public.verify(self.suite, self.alpha, self.proof)
    }
}

/// Check many proofs: for each item, in order, exactly what [`VrfPublicKey::verify`] says of it alone.
///
/// Returns as many verdicts as there are items. One bad item costs no more than a good one, and says nothing of the others.
///
/// Measured beside single calls (one core with AVX-512, [`VrfSuite::Ell2`], best of 400 runs): in a batch of 16 a proof takes
/// 53.1 µs instead of 56.1 (0.95), of 128 54.7 instead of 58.4 (0.94; criterion's middle values: 0.95 and 0.96), of 1 the
/// same. So use it where proofs lie together anyway, and do not wait to collect them. What is
/// shared is the field inversion that turns points into bytes, once for all instead of once for each item. There is no one
/// equation for many proofs as there is for signatures: RFC 9381's proof holds a hash of `U` and `V` instead of the points,
/// so both have to be computed exactly for each item before anything can be compared, and with `H` they are nine tenths
/// of the time. Another proof format, with the points in it, would change that, and would not be the RFC's.
///
/// Source: RFC 9381 §5.3.
pub fn verify_vrf_batch(items: &[VrfClaim<'_>]) -> Vec<Result<VrfOutput, BadVrf>> {
    let points: Vec<EdwardsPoint> = items
        .iter()
        .flat_map(|item| item.public.points(item.suite, item.alpha, item.proof))
        .collect();
    let encoded = EdwardsPoint::compress_batch_alloc(&points);
    let (encoded, _) = encoded.as_chunks::<4>();
    items
        .iter()
        .zip(encoded)
        .map(|(item, points)| {
            item.public.verdict(item.suite, item.proof, &points.map(|point| point.0))
        })
        .collect()
}

//! Why a signature, or the key it is said to be of, is refused.

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// A second way of writing some key.
    #[error(
        "public key is not canonically encoded\nhint: the key was crafted or damaged; ask its owner for it again"
    )]
    KeyNotCanonical,
    /// A key under which signatures fit any message.
    #[error(
        "public key is of small order\nhint: no honest wallet makes such a key; refuse its owner"
    )]
    KeySmallOrder,
    /// Bytes that are no key at all.
    #[error(
        "public key is not a point of the curve\nhint: check that the 32 bytes were copied whole"
    )]
    KeyNotAPoint,
    /// An ordinary key and a signature that is not its own.
    #[error(
        "signature does not match key, domain and message\nhint: check that all three are those it was made with"
    )]
    Mismatch,
}

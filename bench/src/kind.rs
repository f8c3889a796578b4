//! The handshakes and records that are measured beside each other.

use network::ik::Suites;

/// Which handshake and records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Hybrid,
    Classic,
    /// `Noise_XX` of libp2p, as it is published.
    Libp2p,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Hybrid, Self::Classic, Self::Libp2p];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hybrid => "ik_hybrid",
            Self::Classic => "ik_classic",
            Self::Libp2p => "libp2p_xx",
        }
    }

    pub(crate) const fn suites(self) -> Suites {
        match self {
            Self::Hybrid | Self::Libp2p => Suites::HybridOnly,
            Self::Classic => Suites::OfferClassic,
        }
    }
}

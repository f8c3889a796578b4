//! Follow a chain by its headers alone, from any source.

use crate::light::{self, Invalid};
use types::{
    ChainId, Entry, FinalHeader, Header, Height, Proved, codec::DecodeExt as _,
    network::NetworkKeys, state::Key,
};

/// How far behind the newest header known a state may be that still proves something: an old state is true, and
/// long over. At two blocks a second half a minute.
pub const BEHIND_MAX: u64 = 64;

/// What somebody's announcement was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Newer than anything before it.
    New(Height),
    /// Not newer; whether it is true was not looked at.
    Old,
    /// No certificate of this chain makes it final: a node that passes it on has not checked it.
    False(Invalid),
}

/// The newest header of one chain that is proved final.
#[derive(Clone, Debug)]
pub struct Follower {
    network_keys: NetworkKeys,
    chain: ChainId,
    newest: Option<Header>,
}

impl Follower {
    /// Follow `chain` of this network, from nothing on.
    ///
    /// # Errors
    /// [`Invalid::UnknownChain`] or [`Invalid::BadIdentity`].
    pub fn new(network_keys: NetworkKeys, chain: ChainId) -> Result<Self, Invalid> {
        light::verifier(&network_keys, chain)?;
        Ok(Self { network_keys, chain, newest: None })
    }

    /// The chain that is followed.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// The newest header that was accepted; none before the first.
    #[must_use]
    pub fn newest(&self) -> Option<&Header> {
        self.newest.as_ref()
    }

    /// Take in an encoded [`FinalHeader`].
    pub fn hear(&mut self, bytes: &[u8]) -> Heard {
        let Ok(FinalHeader { header, certificate }) = FinalHeader::decode(bytes.to_vec()) else {
            return Heard::False(Invalid::BadCertificate);
        };
        if header.chain != self.chain {
            return Heard::False(Invalid::OtherChain { got: header.chain, here: self.chain });
        }
        if !self.is_newer(&header) {
            return Heard::Old;
        }
        match light::verify_certificate(&self.network_keys, &header, certificate.as_slice()) {
            Ok(()) => {
                let height = header.height;
                self.newest = Some(header);
                Heard::New(height)
            }
            Err(invalid) => Heard::False(invalid),
        }
    }

    /// Check that the chain's state holds at `key` what is shown, and that this state is not long over.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn check<T: Entry>(&mut self, key: &Key, shown: &Proved<T>) -> Result<(), Invalid> {
        let header = &shown.header;
        if header.chain != self.chain {
            return Err(Invalid::OtherChain { got: header.chain, here: self.chain });
        }
        let newest = self.newest.as_ref().map_or(Height::ZERO, |newest| newest.height);
        if newest.saturating_sub(header.height).get() > BEHIND_MAX {
            return Err(Invalid::Behind { got: header.height, newest });
        }
        light::verify(&self.network_keys, key, shown)?;
        if self.is_newer(header) {
            self.newest = Some(header.clone());
        }
        Ok(())
    }

    fn is_newer(&self, header: &Header) -> bool {
        self.newest.as_ref().is_none_or(|newest| newest.height < header.height)
    }
}

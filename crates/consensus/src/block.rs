//! A MeshX block as the consensus library wants to see it.

use crate::ceremony;
use commonware_codec::{Buf, EncodeSize, Error, Read, ReadExt as _, Write};
use commonware_consensus::{
    BoundedBlock, CertifiableBlock, Heightable,
    simplex::types::Context,
    types::{Epoch as EngineTerm, Height, Round, View},
};
use commonware_cryptography::{
    Digestible, bls12381::primitives::variant::MinSig, ed25519::PublicKey,
};
use commonware_glue::dkg::ReshareBlock;
use receipt::light::{Digest, digest};
use types::{BODY_BYTES_MAX, CEREMONY_BYTES_MAX, Hash, Header, codec::FixedSize as _};

/// Where in consensus a block stands.
pub(crate) type BlockContext = Context<Digest, PublicKey>;

/// Room for header, beacons and the list's own lengths beside the transactions.
const OVERHEAD_BYTES: usize = 4_096;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block(pub(crate) types::Block);

impl Block {
    pub(crate) const fn header(&self) -> &Header {
        &self.0.header
    }
}

/// A consensus key in the form `types` knows.
pub(crate) fn plain_key(key: &PublicKey) -> types::PublicKey {
    types::PublicKey(key.as_ref().try_into().expect("an Ed25519 key has 32 bytes"))
}

/// The key behind `types`' form, if it is one.
pub(crate) fn consensus_key(key: &types::PublicKey) -> Option<PublicKey> {
    PublicKey::read(&mut bytes::Bytes::copy_from_slice(&key.0)).ok()
}

impl Write for Block {
    fn write(&self, buf: &mut impl bytes::BufMut) {
        self.0.write(buf);
    }
}
impl EncodeSize for Block {
    fn encode_size(&self) -> usize {
        self.0.encode_size()
    }
}
impl Read for Block {
    type Cfg = ();
    fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
        let block = Self(types::Block::read(buf)?);
        // `context` and `payload` below must not fail on what a peer sent.
        if consensus_key(&block.0.header.leader).is_none() {
            return Err(Error::Invalid("Block", "leader is not a key"));
        }
        if block
            .0
            .body
            .ceremony
            .as_ref()
            .is_some_and(|bytes| ceremony::decode(bytes.as_slice()).is_none())
        {
            return Err(Error::Invalid("Block", "what it carries of a hand-over cannot be read"));
        }
        Ok(block)
    }
}
impl Digestible for Block {
    type Digest = Digest;
    fn digest(&self) -> Digest {
        digest(&self.0.header.id())
    }
}
impl Heightable for Block {
    fn height(&self) -> Height {
        Height::new(self.0.header.height.get())
    }
}
impl commonware_consensus::Block for Block {
    fn parent(&self) -> Digest {
        digest(&self.0.header.parent)
    }
}
impl CertifiableBlock for Block {
    type Context = BlockContext;
    fn context(&self) -> BlockContext {
        let header = &self.0.header;
        Context {
            round: Round::new(EngineTerm::new(header.term.get()), View::new(header.view)),
            leader: consensus_key(&header.leader)
                .expect("checked when the block was read or built"),
            parent: (View::new(header.parent_view), digest(&header.parent)),
        }
    }
}
impl ReshareBlock for Block {
    type Variant = MinSig;
    type PublicKey = PublicKey;
    type Directory = ceremony::Directory;
    fn payload(&self) -> Option<ceremony::Payload> {
        ceremony::decode(self.0.body.ceremony.as_ref()?.as_slice())
    }
}
impl BoundedBlock for Block {
    fn max_encode_size(_: &()) -> usize {
        BODY_BYTES_MAX + CEREMONY_BYTES_MAX + OVERHEAD_BYTES + Hash::SIZE
    }
}

pub(crate) fn hash(digest: &Digest) -> Hash {
    Hash(digest.as_ref().try_into().expect("a BLAKE3 digest has 32 bytes"))
}

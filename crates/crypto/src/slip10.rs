//! SLIP-0010 for Ed25519: a tree of secrets in which every step is hardened.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use zeroize::{Zeroize, Zeroizing};

/// Indices from here up mean "hardened" on the wire; ours are all below and hardened by us.
const HARDENED: u32 = 1 << 31;

/// A secret and the chain code from which its children grow.
#[derive(Zeroize)]
#[zeroize(drop)]
struct Node {
    secret: [u8; 32],
    chain: [u8; 32],
}

/// The 32-byte secret at `m/path[0]'/path[1]'/…` of the tree that grows from `seed`.
pub(crate) fn derive(seed: &[u8], path: &[u32]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(node(seed, path).secret)
}

fn node(seed: &[u8], path: &[u32]) -> Node {
    path.iter().fold(split(b"ed25519 seed", &[seed]), |parent, &index| {
        assert!(index < HARDENED, "a path holds indices below 2^31; each is hardened here");
        split(&parent.chain, &[&[0], &parent.secret, &(index | HARDENED).to_be_bytes()])
    })
}

fn split(key: &[u8], data: &[&[u8]]) -> Node {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes a key of any length");
    data.iter().for_each(|part| mac.update(part));
    let bytes = Zeroizing::new(<[u8; 64]>::from(mac.finalize().into_bytes()));
    let mut node = Node { secret: [0; 32], chain: [0; 32] };
    node.secret.copy_from_slice(&bytes[..32]);
    node.chain.copy_from_slice(&bytes[32..]);
    node
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;

    fn check(seed: &str, path: &[u32], chain: &str, secret: &str, public: &str) {
        let node = node(&hex::decode(seed).unwrap(), path);
        assert_eq!(hex::encode(node.secret), secret, "{path:?}");
        assert_eq!(hex::encode(node.chain), chain, "{path:?}");
        assert_eq!(hex::encode(SigningKey::from_seed(&node.secret).public()), public, "{path:?}");
    }

    #[test]
    #[rustfmt::skip]
    fn matches_slip_0010() {
        let one = "000102030405060708090a0b0c0d0e0f";
        check(one, &[], "90046a93de5380a72b5e45010748567d5ea02bbf6522f979e05c0d8d8ca9fffb", "2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7", "a4b2856bfec510abab89753fac1ac0e1112364e7d250545963f135f2a33188ed");
        check(one, &[0], "8b59aa11380b624e81507a27fedda59fea6d0b779a778918a2fd3590e16e9c69", "68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3", "8c8a13df77a28f3445213a0f432fde644acaa215fc72dcdf300d5efaa85d350c");
        check(one, &[0, 1], "a320425f77d1b5c2505a6b1b27382b37368ee640e3557c315416801243552f14", "b1d0bad404bf35da785a64ca1ac54b2617211d2777696fbffaf208f746ae84f2", "1932a5270f335bed617d5b935c80aedb1a35bd9fc1e31acafd5372c30f5c1187");
        let two = "fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a8784817e7b7875726f6c696663605d5a5754514e4b484542";
        let top = 2_147_483_647;
        check(two, &[0, top], "138f0b2551bcafeca6ff2aa88ba8ed0ed8de070841f0c4ef0165df8181eaad7f", "ea4f5bfe8694d8bb74b7b59404632fd5968b774ed545e810de9c32a4fb4192f4", "5ba3b9ac6e90e83effcd25ac4e58a1365a9e35a3d3ae5eb07b9e4d90bcf7506d");
        check(two, &[0, top, 1], "73bd9fff1cfbde33a1b846c27085f711c0fe2d66fd32e139d3ebc28e5a4a6b90", "3757c7577170179c7868353ada796c839135b3d30554bbb74a4b1e4a5a58505c", "2e66aa57069c86cc18249aecf5cb5a9cebbfd6fadeab056254763874a9352b45");
        check(two, &[0, top, 1, top - 1], "0902fe8a29f9140480a00ef244bd183e8a13288e4412d8389d140aac1794825a", "5837736c89570de861ebc173b1086da4f505d4adb387c6a1b1342d5e4ac9ec72", "e33c0f7d81d843c572275f287498e8d408654fdf0d1e065b84e2e6f157aab09b");
        check(two, &[0, top, 1, top - 1, 2], "5d70af781f3a37b829f0d060924d5e960bdc02e85423494afc0b1a41bbe196d4", "551d333177df541ad876a60ea71f00447931c0a9da16f227c11ea080d7391b8d", "47150c75db263559a70d5778bf36abbab30fb061ad69f69ece61a72b0cfa4fc0");
    }

    #[test]
    fn reaches_the_deep_node_of_vector_one() {
        let seed = hex::decode("000102030405060708090a0b0c0d0e0f").unwrap();
        let check =
            |path: &[u32], secret: &str| assert_eq!(hex::encode(*derive(&seed, path)), secret);
        check(&[0, 1, 2], "92a5b23c0b8a99e37d07df3fb9966917f5d06e02ddbd909c7e184371463e9fc9");
        check(&[0, 1, 2, 2], "30d1dc7e5fc04c31219ab25a27ae00b50f6fd66622f6e9c913253d6511d1e662");
        check(
            &[0, 1, 2, 2, 1_000_000_000],
            "8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793",
        );
    }
}

//! From a passphrase to a key: Argon2id, between a floor and a cap.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::borrow::Cow;
use zeroize::{Zeroize, Zeroizing};

/// How hard a passphrase is to guess, in memory and passes. Always within the bounds below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Params {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Parameters that would be too weak to protect, or too heavy to be anything but an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Argon2id parameters out of bounds: {memory_kib} KiB, {passes} passes, {lanes} lanes\n\
     hint: 19456–1048576 KiB, 2–16 passes and 1–16 lanes are accepted; a file outside them was not made by meshx"
)]
pub struct OutOfBounds {
    /// Memory in KiB, as the file asks for it.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub passes: u32,
    /// Lanes that are computed side by side.
    pub lanes: u32,
}

impl Argon2Params {
    /// The weakest accepted, for phones and tests: 19 MiB, 2 passes (OWASP's minimum).
    pub const FLOOR: Self = Self { memory_kib: 19 << 10, passes: 2, lanes: 1 };
    /// The heaviest accepted: 1 GiB, 16 passes. More only keeps the owner from opening the file.
    pub const CAP: Self = Self { memory_kib: 1 << 20, passes: 16, lanes: 16 };

    /// Parameters between [`FLOOR`](Self::FLOOR) and [`CAP`](Self::CAP), each bound included.
    ///
    /// # Errors
    /// [`OutOfBounds`] if any of the three is outside.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, OutOfBounds> {
        let within = (Self::FLOOR.memory_kib..=Self::CAP.memory_kib).contains(&memory_kib)
            && (Self::FLOOR.passes..=Self::CAP.passes).contains(&passes)
            && (Self::FLOOR.lanes..=Self::CAP.lanes).contains(&lanes);
        if within {
            Ok(Self { memory_kib, passes, lanes })
        } else {
            Err(OutOfBounds { memory_kib, passes, lanes })
        }
    }

    /// Memory, in KiB.
    pub fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// How often the memory is gone over.
    pub fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes; computed one after another here, so that they cost time and save none.
    pub fn lanes(self) -> u32 {
        self.lanes
    }
}

impl Default for Argon2Params {
    /// 256 MiB, 3 passes, 1 lane. Source: DESIGN §10, Keystore.
    fn default() -> Self {
        Self { memory_kib: 256 << 10, passes: 3, lanes: 1 }
    }
}

/// The machine would not give the memory.
#[derive(Debug)]
pub(super) struct NoMemory;

/// The cipher's key. The passphrase is taken in Unicode's NFKD, so that the same letters typed on
/// another system are the same passphrase.
pub(super) fn key(
    passphrase: &str,
    salt: &[u8; 16],
    params: Argon2Params,
) -> Result<Zeroizing<[u8; 32]>, NoMemory> {
    let Argon2Params { memory_kib, passes, lanes } = params;
    let params =
        Params::new(memory_kib, passes, lanes, Some(32)).expect("our bounds are inside Argon2's");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());

    let mut blocks = Vec::new();
    blocks.try_reserve_exact(params.block_count()).map_err(|_| NoMemory)?;
    blocks.resize(params.block_count(), Block::new());

    let mut passphrase = Cow::Borrowed(passphrase);
    bip39::Mnemonic::normalize_utf8_cow(&mut passphrase);

    let mut key = Zeroizing::new([0; 32]);
    let done = argon2.hash_password_into_with_memory(
        passphrase.as_bytes(),
        salt,
        &mut *key,
        &mut blocks[..],
    );
    blocks.iter_mut().for_each(Zeroize::zeroize);
    if let Cow::Owned(mut normalized) = passphrase {
        normalized.zeroize();
    }
    done.expect("salt and output lengths are fixed, and no passphrase has 4 GiB");
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(memory_kib: u32, passes: u32, lanes: u32, accepted: bool) {
        assert_eq!(
            Argon2Params::new(memory_kib, passes, lanes).is_ok(),
            accepted,
            "{memory_kib} {passes} {lanes}"
        );
    }

    #[test]
    fn bounds_are_inclusive() {
        check(19_456, 2, 1, true);
        check(19_455, 2, 1, false);
        check(19_456, 1, 1, false);
        check(19_456, 2, 0, false);
        check(1 << 20, 16, 16, true);
        check((1 << 20) + 1, 16, 16, false);
        check(1 << 20, 17, 16, false);
        check(1 << 20, 16, 17, false);
        check(u32::MAX, u32::MAX, u32::MAX, false);
        let default = Argon2Params::default();
        check(default.memory_kib, default.passes, default.lanes, true);
    }

    #[test]
    fn the_same_letters_are_the_same_passphrase() {
        let composed = key("caf\u{e9}", &[0; 16], Argon2Params::FLOOR).unwrap();
        let decomposed = key("cafe\u{301}", &[0; 16], Argon2Params::FLOOR).unwrap();
        assert_eq!(composed, decomposed);
    }
}

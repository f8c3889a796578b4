//! Mnemonics: a secret as 12 or 24 English words (BIP-39).

use bip39::Language;
use zeroize::Zeroizing;

/// A secret that fits on paper. Wiped when dropped, never printed by `Debug`.
pub struct Mnemonic(bip39::Mnemonic);

/// Why some text or bytes are not a mnemonic. Never repeats the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadMnemonic {
    /// Only two strengths are offered.
    #[error(
        "a mnemonic is made from 16 or 32 random bytes, not {0}\nhint: 16 bytes give 12 words, 32 give 24"
    )]
    EntropyLength(usize),
    /// Not 12 and not 24 words.
    #[error(
        "a mnemonic has 12 or 24 words, but this has {0}\nhint: look for a word left out or written as two"
    )]
    WordCount(usize),
    /// A word that BIP-39 does not know; the first word is number 1.
    #[error(
        "word {position} is not in the BIP-39 English list\nhint: check its spelling; the first four letters decide"
    )]
    UnknownWord { position: usize },
    /// All words exist, but not in this company.
    #[error(
        "the checksum of the words does not match\nhint: two words may be swapped, or one word replaced by a similar one"
    )]
    Checksum,
}

impl Mnemonic {
    /// The words for `entropy`: 16 bytes for 12 words, 32 for 24, from the operating system's generator.
    ///
    /// # Errors
    /// [`BadMnemonic::EntropyLength`] for any other length.
    pub fn from_entropy(entropy: &[u8]) -> Result<Self, BadMnemonic> {
        match entropy.len() {
            16 | 32 => Ok(Self(
                bip39::Mnemonic::from_entropy(entropy).expect("16 and 32 bytes are BIP-39 lengths"),
            )),
            other => Err(BadMnemonic::EntropyLength(other)),
        }
    }

    /// Read words as people type them: any case, any white space between.
    ///
    /// # Errors
    /// [`BadMnemonic`] says which word is wrong, by its position.
    pub fn parse(text: &str) -> Result<Self, BadMnemonic> {
        let count = text.split_whitespace().count();
        if !matches!(count, 12 | 24) {
            return Err(BadMnemonic::WordCount(count));
        }
        let lower = Zeroizing::new(text.to_ascii_lowercase());
        match bip39::Mnemonic::parse_in_normalized(Language::English, &lower) {
            Ok(mnemonic) => Ok(Self(mnemonic)),
            Err(bip39::Error::UnknownWord(index)) => {
                Err(BadMnemonic::UnknownWord { position: index + 1 })
            }
            Err(bip39::Error::InvalidChecksum) => Err(BadMnemonic::Checksum),
            // The count was checked, there is one language and no entropy: nothing else is left.
            Err(other) => unreachable!("{other}"),
        }
    }

    /// The words, separated by single spaces: what the owner writes down.
    pub fn phrase(&self) -> Zeroizing<String> {
        // 24 words of at most 8 letters: the buffer never grows, so no unwiped copy is left behind.
        let mut phrase = Zeroizing::new(String::with_capacity(24 * 9));
        for (index, word) in self.0.words().enumerate() {
            if index > 0 {
                phrase.push(' ');
            }
            phrase.push_str(word);
        }
        phrase
    }

    /// The 16 or 32 bytes the words stand for: what goes into a keystore.
    pub fn entropy(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_entropy())
    }

    /// The BIP-39 seed: PBKDF2-HMAC-SHA512, 2048 rounds, over the words and an optional 25th word.
    pub(crate) fn seed(&self, passphrase: &str) -> Zeroizing<[u8; 64]> {
        Zeroizing::new(self.0.to_seed(passphrase))
    }
}

impl std::fmt::Debug for Mnemonic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mnemonic({} words, hidden)", self.0.word_count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Trezor vectors, whose passphrase is always `TREZOR`.
    fn check(entropy: &str, phrase: &str, seed: &str) {
        let entropy = hex::decode(entropy).unwrap();
        let made = Mnemonic::from_entropy(&entropy).unwrap();
        assert_eq!(*made.phrase(), phrase);
        let read =
            Mnemonic::parse(&format!("  {}\n", phrase.to_uppercase().replace(' ', " \t"))).unwrap();
        assert_eq!(*read.entropy(), entropy);
        assert_eq!(hex::encode(*read.seed("TREZOR")), seed);
    }

    #[test]
    fn matches_the_trezor_vectors() {
        check(
            "00000000000000000000000000000000",
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
            "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04",
        );
        check(
            "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
            "legal winner thank year wave sausage worth useful legal winner thank yellow",
            "2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6fa457fe1296106559a3c80937a1c1069be3a3a5bd381ee6260e8d9739fce1f607",
        );
        check(
            "80808080808080808080808080808080",
            "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
            "d71de856f81a8acc65e6fc851a38d4d7ec216fd0796d0a6827a3ad6ed5511a30fa280f12eb2e47ed2ac03b5c462a0358d18d69fe4f985ec81778c1b370b652a8",
        );
        check(
            "ffffffffffffffffffffffffffffffff",
            "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong",
            "ac27495480225222079d7be181583751e86f571027b0497b5b5d11218e0a8a13332572917f0f8e5a589620c6f15b11c61dee327651a14c34e18231052e48c069",
        );
        check(
            "0000000000000000000000000000000000000000000000000000000000000000",
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art",
            "bda85446c68413707090a52022edd26a1c9462295029f2e60cd7c4f2bbd3097170af7a4d73245cafa9c3cca8d561a7c3de6f5d4a10be8ed2a5e608d68f92fcc8",
        );
    }

    #[test]
    fn says_which_word_is_wrong() {
        let refuse = |text: &str| Mnemonic::parse(text).unwrap_err();
        let good = "legal winner thank year wave sausage worth useful legal winner thank yellow";
        assert_eq!(refuse(&good.replace("wave", "wafe")), BadMnemonic::UnknownWord { position: 5 });
        assert_eq!(refuse(&good.replace("yellow", "year")), BadMnemonic::Checksum);
        assert_eq!(refuse(&good[..60]), BadMnemonic::WordCount(10));
        assert_eq!(refuse(""), BadMnemonic::WordCount(0));
        assert_eq!(refuse(&"é ".repeat(12)), BadMnemonic::UnknownWord { position: 1 });
        // 15 words are BIP-39, but not ours.
        assert_eq!(refuse(&"abandon ".repeat(15)), BadMnemonic::WordCount(15));
        assert_eq!(Mnemonic::from_entropy(&[0; 20]).unwrap_err(), BadMnemonic::EntropyLength(20));
    }

    #[test]
    fn debug_shows_no_words() {
        assert_eq!(
            format!("{:?}", Mnemonic::from_entropy(&[0; 16]).unwrap()),
            "Mnemonic(12 words, hidden)"
        );
    }
}

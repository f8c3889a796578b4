//! A list of nodes to begin with, signed by a key that the reader has chosen to trust.
//!
//! ```text
//! meshx-bootstrap 1
//! network <64 hex digits>
//! issued <milliseconds>
//! <address>
//! …
//! signature <key> <signature>
//! ```

use crate::PeerAddress;
use crypto::SigningKey;
use types::{Hash, Millis};

/// Longest list in bytes.
pub const BOOTSTRAP_BYTES_MAX: usize = 64 * 1024;
/// Most addresses of a list.
pub const BOOTSTRAP_PEERS_MAX: usize = 256;
/// A list counts this long: its signer may have lost the key since, and the nodes their addresses.
const LIFETIME_MS: u64 = 90 * 24 * 60 * 60 * 1_000;
/// A clock may be this much ahead.
const SKEW_MS: u64 = 24 * 60 * 60 * 1_000;
const DOMAIN: &str = "meshx/bootstrap/1";
const HEADER: &str = "meshx-bootstrap 1";

/// A list that was checked, or is to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootstrapList {
    /// The network that the nodes belong to.
    pub network: Hash,
    /// When it was signed, by the signer's clock. It counts for 90 days from then.
    pub issued: Millis,
    peers: Vec<PeerAddress>,
}

/// Why a list does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadBootstrapList {
    #[error("line {0} does not have the form that a bootstrap list needs there")]
    Line(usize),
    #[error(
        "a bootstrap list has 1 to {BOOTSTRAP_PEERS_MAX} addresses and {BOOTSTRAP_BYTES_MAX} bytes at most"
    )]
    Size,
    #[error("the list is of network {0}")]
    OtherNetwork(Hash),
    #[error("the list is older than 90 days, or from the future")]
    Age,
    #[error(
        "the list is signed by another key: {0}\nhint: if you trust that key, name it with --bootstrap-key"
    )]
    Stranger(String),
    #[error("the list was changed after it was signed")]
    Signature,
}

impl BootstrapList {
    /// A list that is to be signed. `issued` is the time of the signature.
    ///
    /// # Errors
    /// [`BadBootstrapList::Size`].
    pub fn new(
        network: Hash,
        issued: Millis,
        peers: Vec<PeerAddress>,
    ) -> Result<Self, BadBootstrapList> {
        let list = Self { network, issued, peers };
        let fits = (1..=BOOTSTRAP_PEERS_MAX).contains(&list.peers.len())
            && list.unsigned().len() + 256 <= BOOTSTRAP_BYTES_MAX;
        if fits { Ok(list) } else { Err(BadBootstrapList::Size) }
    }

    /// The nodes, in the order of the list: 1 to [`BOOTSTRAP_PEERS_MAX`].
    #[must_use]
    pub fn peers(&self) -> &[PeerAddress] {
        &self.peers
    }

    fn unsigned(&self) -> String {
        let mut text =
            format!("{HEADER}\nnetwork {}\nissued {}\n", self.network, self.issued.get());
        for peer in &self.peers {
            text.push_str(&format!("{peer}\n"));
        }
        text
    }

    /// The list as a text that ends in a signature of `key`, and that [`BootstrapList::open`] reads.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        let text = self.unsigned();
        let signature = hex::encode(key.sign(DOMAIN, text.as_bytes()));
        format!("{text}signature {} {signature}\n", hex::encode(key.public()))
    }

    /// Check `text` at the time `now`: it must be of `network`, and signed by `trusted`.
    ///
    /// # Errors
    /// [`BadBootstrapList`].
    pub fn open(
        text: &str,
        network: Hash,
        trusted: &[u8; 32],
        now: Millis,
    ) -> Result<Self, BadBootstrapList> {
        use BadBootstrapList as Bad;
        if text.len() > BOOTSTRAP_BYTES_MAX {
            return Err(Bad::Size);
        }
        let lines: Vec<&str> = text.lines().collect();
        let [header, of_network, issued, peers @ .., signed] = &lines[..] else {
            return Err(Bad::Line(lines.len()));
        };
        if *header != HEADER {
            return Err(Bad::Line(1));
        }
        let of = of_network.strip_prefix("network ").and_then(|text| text.parse::<Hash>().ok());
        let of = of.ok_or(Bad::Line(2))?;
        let issued = issued.strip_prefix("issued ").and_then(|text| text.parse().ok());
        let issued = Millis::new(issued.ok_or(Bad::Line(3))?);
        let last = Bad::Line(lines.len());
        let signed = signed.strip_prefix("signature ").and_then(|text| text.split_once(' '));
        let (key, signature) = signed.ok_or(last.clone())?;
        // Before anything else of a stranger's list is looked at.
        if key != hex::encode(trusted) {
            let shown = key.chars().filter(char::is_ascii_hexdigit).take(64).collect();
            return Err(Bad::Stranger(shown));
        }
        let signature = hex::decode(signature).ok().and_then(|bytes| bytes.try_into().ok());
        let parsed = peers
            .iter()
            .enumerate()
            .map(|(index, line)| line.parse().map_err(|_| Bad::Line(4 + index)))
            .collect::<Result<_, _>>()?;
        let list = Self::new(of, issued, parsed)?;
        // What is signed is the list as it is written here: one text for one list.
        crypto::verify(trusted, DOMAIN, list.unsigned().as_bytes(), &signature.ok_or(last)?)
            .map_err(|_| Bad::Signature)?;
        if of != network {
            return Err(Bad::OtherNetwork(of));
        }
        let (issued, now) = (issued.get(), now.get());
        if issued > now.saturating_add(SKEW_MS) || now > issued.saturating_add(LIFETIME_MS) {
            return Err(Bad::Age);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: Hash = Hash([7; 32]);
    const DAY: u64 = 24 * 60 * 60 * 1_000;

    fn list() -> (BootstrapList, SigningKey) {
        let key = |seed| SigningKey::from_seed(&[seed; 32]);
        let peer = |seed: u8| {
            let id = crate::peer_id(&key(seed).public()).unwrap();
            format!("/ip4/192.0.2.{seed}/tcp/8800/p2p/{id}").parse().unwrap()
        };
        let list =
            BootstrapList::new(NETWORK, Millis::new(100 * DAY), vec![peer(1), peer(2)]).unwrap();
        (list, key(9))
    }

    fn open(text: &str, by: &SigningKey, day: u64) -> Result<BootstrapList, BadBootstrapList> {
        BootstrapList::open(text, NETWORK, &by.public(), Millis::new(day * DAY))
    }

    #[test]
    fn a_list_is_read_as_it_was_signed() {
        let (list, key) = list();
        let text = list.sign(&key);
        assert_eq!(open(&text, &key, 100), Ok(list.clone()));
        assert_eq!(open(&text, &key, 190), Ok(list));
        assert_eq!(open(&text, &key, 191), Err(BadBootstrapList::Age));
        assert_eq!(open(&text, &key, 98), Err(BadBootstrapList::Age));
        let other = Hash([8; 32]);
        let elsewhere = BootstrapList::open(&text, other, &key.public(), Millis::new(100 * DAY));
        assert_eq!(elsewhere, Err(BadBootstrapList::OtherNetwork(NETWORK)));
        let stranger = SigningKey::from_seed(&[10; 32]);
        assert!(matches!(open(&text, &stranger, 100), Err(BadBootstrapList::Stranger(_))));
    }

    #[test]
    fn no_byte_can_be_changed_and_no_line_left_out() {
        let (list, key) = list();
        let text = list.sign(&key);
        for index in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[index] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                // The end of the last line is not part of it.
                let only_ending = changed.lines().eq(text.lines());
                assert_eq!(open(&changed, &key, 100).is_ok(), only_ending, "byte {index}");
            }
        }
        for left_out in 0..text.lines().count() {
            let lines = text.lines().enumerate().filter(|(index, _)| *index != left_out);
            let shorter: String = lines.map(|(_, line)| format!("{line}\n")).collect();
            assert!(open(&shorter, &key, 100).is_err(), "without line {left_out}");
        }
        for hostile in ["", "\n\n\n\n", "meshx-bootstrap 1", &"x".repeat(BOOTSTRAP_BYTES_MAX + 1)] {
            assert!(open(hostile, &key, 100).is_err());
        }
    }
}

//! Words: one word, one meaning, as GLOSSARY.md says. A name that used a word in a second meaning does not come back.
//!
//! Code only: comments and texts are for readers, who see the page itself.

use super::sources::Source;
use super::text::{Token, tokens};

/// Code that may not occur, and what to write in its place.
const TABLE: &[(&str, &str)] = &[
    // An epoch is the span between two draws of committees; a committee votes for a term.
    ("ConsensusEpoch", "commonware's type is imported as EngineTerm"),
    ("header.epoch", "a header has a term"),
    ("tip.epoch", "a header has a term"),
    ("beacon.epoch", "a beacon has a term"),
    ("EpochRecord", "who votes is in a TermRecord"),
    // An anchor is a shard's header on the backbone.
    ("ChainAnchor", "the keys of a network are NetworkKeys, one of them is a ChainKey"),
    ("network::Anchor", "the keys of a network are NetworkKeys"),
    ("dealt.anchor", "the keys of a network are NetworkKeys"),
    ("node.anchor", "the keys of a network are NetworkKeys"),
    ("attestation::Anchors", "certificates end at TrustRoots"),
    ("ANCHORS_MAX", "peers that are remembered are known peers"),
    ("EpochAnchor", "lots are drawn from a seed"),
    // A seat is a place in a committee.
    ("state::Seat", "a worker has an Assignment"),
    ("state::Seats", "a job has Assignments"),
    ("settlement.seats", "a job has assignments"),
    ("NoSeat", "a worker has an Assignment"),
    ("JobSeat", "a worker has an Assignment"),
    ("TRIES_PER_SEAT", "a job has replicas"),
    // Evidence is what hardware says of itself.
    ("DoubleSigningProof", "two votes that contradict each other are an EquivocationProof"),
    ("BadEvidence", "two votes that contradict each other are an EquivocationProof"),
    ("ForeignEvidence", "two votes that contradict each other are an EquivocationProof"),
    ("EVIDENCE_MAX", "two votes that contradict each other are an EquivocationProof"),
    ("api::Evidence", "what stands behind a result is its Assurance"),
    ("view.evidence", "what stands behind a result is its Assurance"),
    ("receipt::Tier", "what stands behind a result is its Assurance"),
    ("EvidenceTier", "what stands behind a result is its Assurance"),
    // A relay forwards the bytes of a circuit.
    ("Action::Relay", "a chain imports what another one has proved"),
    ("Action::Seat", "a chain imports what another one has proved"),
    ("RelayedSeats", "a chain imports what another one has proved"),
    ("RelayedDecree", "a chain imports what another one has proved"),
];

pub fn check(sources: &[Source]) -> Vec<String> {
    let banned: Vec<(Vec<Token>, &str)> =
        TABLE.iter().map(|(code, instead)| (tokens(code), *instead)).collect();
    let mut faults = Vec::new();
    for source in sources {
        faults.extend(
            scan(&source.tokens, &banned)
                .into_iter()
                .map(|(line, fault)| format!("{}:{line}: {fault}", source.path.display())),
        );
    }
    faults
}

fn scan(code: &[Token], banned: &[(Vec<Token>, &str)]) -> Vec<(u32, String)> {
    let mut faults = Vec::new();
    for (index, token) in code.iter().enumerate() {
        for (pattern, instead) in banned {
            let found = code[index..].iter().zip(pattern).filter(|(a, b)| a.kind == b.kind).count();
            if found == pattern.len() {
                faults.push((token.line, format!("{instead} (GLOSSARY.md)")));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str, expected: &[u32]) {
        let banned = [(tokens("header.epoch"), "a header has a term"), (tokens("NoSeat"), "")];
        let lines: Vec<u32> = scan(&tokens(code), &banned).iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, expected, "{code}");
    }

    #[test]
    fn a_banned_name_is_found_wherever_it_stands() {
        check("let a = header.epoch;\nNoSeat", &[1, 2]);
        check("self.header\n    .epoch", &[1]);
    }

    #[test]
    fn other_names_and_texts_are_left_alone() {
        check("draw.epoch; header.epochs; \"NoSeat\"; // NoSeat", &[]);
        check("header", &[]);
    }

    #[test]
    fn each_entry_is_code_and_says_what_to_write() {
        for (code, instead) in TABLE {
            assert!(!tokens(code).is_empty() && !instead.is_empty(), "{code}");
        }
    }
}

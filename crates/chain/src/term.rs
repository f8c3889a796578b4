//! Terms: who votes when. A committee votes for `term_blocks` blocks and hands its key over to the next one.
//!
//! ```text
//! term      E                E+1               E+2               E+3
//!           |--------x------|-----------------|-----------------|---
//!                    fixed: who votes in E+3  they follow       they get shares; from here they vote
//! ```
//!
//! In half a term, those that were chosen learn of it before they must be there; in E+2 the committee of that term deals
//! new shares of the same key to them. A hand-over that fails leaves the old shares and the old committee in place, and
//! those that were chosen for the term after it are next.

use crate::{
    apply::BlockContext,
    scratch::{Scratch, Stop},
};
use types::{
    Height, List, PublicKey, Term,
    committee::SeatsRecord,
    network::{Genesis, VALIDATORS_MAX},
    state::{Key, TermRecord},
};

/// Terms that genesis fills: nobody else can have been chosen for them.
pub(crate) const DEALT_TERMS: u64 = 3;

/// The term that the block at `height` belongs to.
#[must_use]
pub fn term_of(height: Height, term_blocks: u64) -> Term {
    Term::new(height.get() / term_blocks.max(1))
}

/// In the middle of a term: fix who votes three terms later.
pub(crate) fn fix(
    pad: &mut Scratch<'_>,
    genesis: &Genesis,
    context: &BlockContext,
) -> Result<(), Stop> {
    let blocks = genesis.term_blocks.max(1);
    if context.height.get() % blocks != blocks / 2 {
        return Ok(());
    }
    let term = term_of(context.height, blocks).get();
    let last = Key::Term(Term::new(term + DEALT_TERMS - 1));
    // Without a committee in genesis nobody votes: a chain that only tests apply.
    let Some(record) = pad.get::<TermRecord>(last)? else { return Ok(()) };
    let keys = match chosen(pad, context)? {
        // A committee of nobody could never make the block that ends it.
        Some(keys) if !keys.is_empty() => ordered(keys.as_slice()),
        _ => record.keys,
    };
    pad.put(Key::Term(Term::new(term + DEALT_TERMS)), &TermRecord { keys });
    // A boundary in the first half of this term still shared out rewards of the term before. Now nothing asks for it
    // any more.
    if let Some(over) = term.checked_sub(1) {
        pad.forget(Key::Term(Term::new(over)));
    }
    Ok(())
}

/// Who was drawn for this chain, as far as it knows; `None`: the present committee goes on.
fn chosen(
    pad: &Scratch<'_>,
    context: &BlockContext,
) -> Result<Option<List<PublicKey, VALIDATORS_MAX>>, Stop> {
    let drawn: Option<SeatsRecord> = pad.get(Key::Seats(context.chain))?;
    Ok(drawn.map(|drawn| {
        let keys = drawn.seats.iter().map(|seat| seat.key).collect();
        List::new(keys).expect("a key for each seat")
    }))
}

fn ordered(keys: &[PublicKey]) -> List<PublicKey, VALIDATORS_MAX> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    List::new(keys).expect("no more than there were")
}

//! When a ticket is taken: after what it is drawn from is known, and before anybody counts.

use types::Height;

/// The blocks, both included, in which the tickets of an epoch are taken. With `opens` above `closes` there are none.
///
/// A ticket is secret until it is sent, and the last sender has seen the others: it could only choose to withhold. So the
/// window may be long. It closes early enough for all to have the last block before the draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketWindow {
    /// The first block after the one whose beacon is the epoch's seed.
    pub opens: Height,
    /// The last block in which a ticket counts.
    pub closes: Height,
}

/// Why a ticket does not count, however good it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Untimely {
    #[error("the ticket is in block {at}, but tickets are taken from block {opens} on")]
    Early { at: Height, opens: Height },
    #[error("the ticket is in block {at}, but tickets were taken until block {closes}")]
    Late { at: Height, closes: Height },
}

impl TicketWindow {
    /// Whether a ticket in block `at` counts.
    ///
    /// # Errors
    /// [`Untimely`].
    pub fn check(&self, at: Height) -> Result<(), Untimely> {
        match *self {
            Self { opens, .. } if at < opens => Err(Untimely::Early { at, opens }),
            Self { closes, .. } if at > closes => Err(Untimely::Late { at, closes }),
            Self { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_turns_late_with_the_block_after_the_last() {
        let [opens, closes] = [10, 20].map(Height::new);
        let check = |at| TicketWindow { opens, closes }.check(Height::new(at));
        assert_eq!(check(9), Err(Untimely::Early { at: Height::new(9), opens }));
        assert_eq!((check(10), check(20)), (Ok(()), Ok(())));
        assert_eq!(check(21), Err(Untimely::Late { at: Height::new(21), closes }));
        let text = check(21).unwrap_err().to_string();
        assert_eq!(text, "the ticket is in block 21, but tickets were taken until block 20");
        let never = TicketWindow { opens: closes, closes: opens };
        assert!((0..30).all(|at| never.check(Height::new(at)).is_err()));
    }
}

//! Statements: what one key says on its chain, and what becomes of each.
//!
//! Nonces count up by one, so the statements of a key form a line. A statement that the chain refuses takes those behind
//! it out of the line: their nonces leave a gap. So each nonce is asked for anew when a statement is sent, of the node
//! that holds the pool, and what was refused or lost is signed again with the nonce that is then right.

use types::Millis;

/// How often one statement is sent at most. With [`AGAIN_AFTER`] that is five seconds: long enough for a pool to have
/// room or a statement before it to be final, and a duty still has time to be tried anew.
pub const TRIES_MAX: u32 = 20;
/// How long to wait before a statement is sent again.
pub const AGAIN_AFTER: Millis = Millis::new(250);

/// What one try came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Try {
    /// It is in a final block.
    Final,
    /// The chain refuses it and always will.
    RefusedForGood,
    /// It was not taken in, or dropped, or nobody answered. The next try may go through.
    Lost,
}

impl Try {
    /// Of a try that failed. `lasting`: the same again is of no use ([`types::Code::is_lasting`]).
    pub const fn failed(lasting: bool) -> Self {
        if lasting { Self::RefusedForGood } else { Self::Lost }
    }
}

/// What to do next with a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it is final.
    Done,
    /// Sign it with the next nonce and send it, after this time.
    Again(Millis),
    /// Nothing: it will never be.
    GiveUp,
}

/// The tries of one statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tries(u32);

impl Tries {
    /// Count one more try, and say what to do next.
    pub fn after(&mut self, came_to: Try) -> Next {
        self.0 = self.0.saturating_add(1);
        match came_to {
            Try::Final => Next::Done,
            Try::RefusedForGood => Next::GiveUp,
            // Not for ever: the duty behind the statement rests then, and is tried anew.
            Try::Lost if self.0 >= TRIES_MAX => Next::GiveUp,
            Try::Lost => Next::Again(AGAIN_AFTER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_sent_again_until_it_is_final_or_refused_for_good() {
        let mut tries = Tries::default();
        assert_eq!(tries.after(Try::failed(false)), Next::Again(AGAIN_AFTER));
        assert_eq!(tries.after(Try::Final), Next::Done);
        assert_eq!(Tries::default().after(Try::failed(true)), Next::GiveUp);
    }

    #[test]
    fn a_statement_that_is_always_lost_is_sent_a_bounded_number_of_times() {
        let mut tries = Tries::default();
        let mut sent = 1;
        while tries.after(Try::Lost) != Next::GiveUp {
            sent += 1;
        }
        assert_eq!(sent, TRIES_MAX);
    }
}

//! The crate from outside: certificates by the thousand, and the rule written a second time, naively.

mod certificates;
mod naive;
mod world;

//! The chain seen from outside: the same blocks through `apply_block` and through a second, naive
//! implementation of the rules.

mod model;

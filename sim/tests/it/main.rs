//! Whole simulations: that they replay, that they pass, and that planted bugs do not.

mod planted;
mod replay;
mod wiped;
